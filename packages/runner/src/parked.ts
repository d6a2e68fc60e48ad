/** Events that were put aside, from the side of the partition they belong to. */
import type { Entry, Event, Fenced, Op, Position, StoreError, StoreShape } from "@persist/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Attempt } from "./failure.ts"
import { type Parked, parked, parkedKey, untoldKey } from "./names.ts"
import type { Handled } from "./processor.ts"

/** As a partition's work has it: no keys where an event isn't for it, `undefined` where that can't be told. */
export type KeysOf = (event: Event) => ReadonlyArray<string> | undefined

/** An event with the keys that order is kept by. */
export interface Keyed {
  readonly event: Event
  /** None where they can't be told and that's another partition's failure: it may turn out to be this one's. */
  readonly keys: ReadonlyArray<string>
  /** Why it can't be handled, where that's known before it is tried. */
  readonly fault?: Cause.Cause<unknown>
  /** Whether trying again, by the same program, would meet the same. */
  readonly isFinal?: boolean
}

/** An event with its keys, unless it's for another partition; one whose keys can't be told is everyone's. */
export const keyed = (event: Event, keysOf: KeysOf): ReadonlyArray<Keyed> => {
  const keys = Result.try(() => keysOf(event))
  if (Result.isFailure(keys)) return [{ event, keys: [event.stream], fault: Cause.die(keys.failure) }]
  if (keys.success === undefined) return [{ event, keys: [], fault: untold }]
  return keys.success.length === 0 ? [] : [{ event, keys: keys.success }]
}

const untold = Cause.die(new Error("its key can't be told"))

/** Events of a partition, from one on, that can be done with together. */
export interface Portion {
  /** How many they are. */
  readonly length: number
  /** Those to be handled. */
  readonly ready: ReadonlyArray<Keyed>
  /** Those that have to wait, behind one that is parked or for their keys, and aren't put there yet. */
  readonly waiting: ReadonlyArray<Keyed>
  /** How many are done with where so many of those that are ready are, and those that wait are put aside. */
  readonly through: (handled: number) => number
}

/** The parked events of one partition. */
export class Aside {
  /** Keys of which an event is parked: what follows has to wait behind it. */
  private readonly held = new Set<string>()
  private dropped: ReadonlySet<number> = new Set()
  /** Whether one of them is this partition's. */
  private hasDropped = false
  /** What was put behind others in this run, though the checkpoint may not have come to it. */
  private put = new Set<number>()
  private seen: Position | undefined
  /** Whether what was said before this run began has been done. */
  private isSettled = false
  private readonly store: StoreShape
  private readonly processor: string
  private readonly reader: string

  constructor(store: StoreShape, processor: string, reader: string) {
    this.store = store
    this.processor = processor
    this.reader = reader
  }

  /** What can be done with together from one event on, of so many at most; nothing where that one can't be handled. */
  portion(events: ReadonlyArray<Keyed>, start: number, most: number): Portion {
    const [ready, waiting, places]: [Array<Keyed>, Array<Keyed>, Array<number>] = [[], [], []]
    let end = start
    for (; end < Math.min(events.length, start + most); end++) {
      const each = events[end]
      if (each === undefined || this.dropped.has(each.event.position)) continue
      if (each.keys.length === 0 || this.isBehind(each)) {
        if (!this.put.has(each.event.position)) waiting.push(each)
      } else if (each.fault === undefined) {
        ready.push(each)
        places.push(end - start)
      } else break
    }
    const length = end - start
    return { length, ready, waiting, through: (handled) => places[handled] ?? length }
  }

  /** Whether an event can't be handled now, since one of its keys before it wasn't. */
  private isBehind({ keys }: Keyed): boolean {
    return this.held.size > 0 && keys.some((key) => this.held.has(key))
  }

  /** Puts an event aside, as part of a commit; to be told by {@link hold} once that happened. */
  park({ event, keys }: Keyed, attempts: ReadonlyArray<Attempt>): Op {
    const { processor, reader } = this
    const isUntold = keys.length === 0
    const key = isUntold ? untoldKey(processor, event.position, reader) : parkedKey(processor, event.position)
    return parked(this.store).ops.put(key, {
      processor,
      reader,
      keys,
      stream: event.stream,
      seq: event.seq,
      position: event.position,
      type: event.type,
      state: isUntold ? "untold" : attempts.length === 0 ? "behind" : "parked",
      attempts
    })
  }

  /** Keeps back what follows under these keys. */
  hold(keys: ReadonlyArray<string>): void {
    for (const key of keys) this.held.add(key)
  }

  /** These were put behind others. */
  waits(events: ReadonlyArray<Keyed>): void {
    for (const { event } of events) this.put.add(event.position)
  }

  /** Everything before has been done with. */
  passed(): void {
    if (this.put.size > 0) this.put = new Set()
  }

  /** The entries of this partition in the order of their positions, and what they hold back. */
  readonly load: Effect.Effect<ReadonlyArray<Entry<Parked>>, StoreError> = Effect.suspend(() =>
    Effect.map(
      Effect.zip(this.store.head, Stream.runCollect(parked(this.store).scan({ prefix: `${this.processor}/` }))),
      ([head, entries]) => {
        this.seen = head
        // Another processor's name may begin with this one's and a slash.
        const all = entries.filter(({ value }) => value.processor === this.processor)
        // Whichever partition it was parked in: its key may have turned out to be this one's since.
        this.dropped = new Set(all.filter(({ value }) => value.state === "dropped").map(({ value }) => value.position))
        const own = all.filter(({ value }) => value.reader === this.reader)
        const waiting = own.filter(({ value }) => value.state !== "dropped")
        this.hasDropped = waiting.length < own.length
        this.held.clear()
        for (const { value } of waiting) this.hold(value.keys)
        return waiting
      }
    )
  )

  /** Whether an event was dropped, as far as was loaded. */
  isDropped(position: Position | number): boolean {
    return this.dropped.has(position)
  }

  /**
   * Goes through what was parked, in order, where somebody said something of it: what is to be tried again is tried,
   * and then what only waited behind it. `again` answers whether an entry is done with, or what ends the run.
   */
  settle<R>(
    again: (entry: Entry<Parked>) => Effect.Effect<Fenced | boolean, StoreError, R>
  ): Effect.Effect<Fenced | undefined, StoreError, R> {
    return Effect.flatMap(
      this.changed,
      (changed) => changed ? Effect.flatMap(this.load, (waiting) => this.settleAll(waiting, again)) : Effect.undefined
    )
  }

  private settleAll<R>(
    waiting: ReadonlyArray<Entry<Parked>>,
    again: (entry: Entry<Parked>) => Effect.Effect<Fenced | boolean, StoreError, R>
  ): Effect.Effect<Fenced | undefined, StoreError, R> {
    return Effect.gen({ self: this }, function*() {
      const held = new Set<string>()
      for (const entry of waiting) {
        const { keys, state } = entry.value
        const tried = state === "parked" || state === "untold" || keys.some((key) => held.has(key))
          ? false
          : yield* again(entry)
        if (tried === false) { for (const key of keys) held.add(key) }
        else if (tried !== true) return tried
      }
      this.held.clear()
      this.hold(Array.from(held))
      return undefined
    })
  }

  /** Whether somebody has said something of them since they were loaded; what this run has made of them isn't that. */
  private get changed(): Effect.Effect<boolean, StoreError> {
    const { seen } = this
    if ((this.held.size === 0 && !this.hasDropped) || seen === undefined) return Effect.succeed(false)
    if (!this.isSettled) {
      this.isSettled = true
      return Effect.succeed(true)
    }
    const said = parked(this.store).changedSince({ after: seen }).pipe(
      Stream.filter((change) => change._tag === "Put" && this.isSaid(change.value)),
      Stream.runHead
    )
    return Effect.map(Effect.zip(this.store.head, said), ([head, found]) => {
      this.seen = head
      return found._tag === "Some"
    })
  }

  private isSaid({ processor, reader, state }: Parked): boolean {
    return processor === this.processor && reader === this.reader && (state === "retry" || state === "dropped")
  }
}

/** What comes of a parked event that was truncated or deleted: nothing, with a warning. */
export const givenUp = ({ position, processor, seq, stream }: Parked): Effect.Effect<Handled> =>
  Effect.as(
    Effect.annotateLogs(
      Effect.logWarning("a parked event was truncated or deleted before it was tried again, and is given up"),
      { processor, stream, seq, position }
    ),
    { count: 0, ops: [], failed: undefined }
  )
