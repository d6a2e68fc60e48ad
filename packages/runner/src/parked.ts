/**
 * Events that were put aside, from the side of the partition they belong to. Which one that is, and who may write an
 * entry, is told in plans/0017, "Whose a parked event is".
 */
import type { Change, Entry, Event, Fenced, Op, Position, StoreError, StoreShape } from "@persist/core"
import { checkpoints } from "@persist/core/checkpoint"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Attempt } from "./failure.ts"
import { noteKey, notes, type Parked, parked, parkedKey } from "./names.ts"
import type { Handled } from "./processor.ts"

/** As a partition's work has it: no keys where an event isn't for it, `undefined` where that can't be told. */
export type KeysOf = (event: Event) => ReadonlyArray<string> | undefined

/** An event with the keys that order is kept by. */
export interface Keyed {
  readonly event: Event
  /** None where it's only noted: another partition has it in hand, and it may turn out to be this one's. */
  readonly keys: ReadonlyArray<string>
  /** That they couldn't be told, which is this partition's failure. */
  readonly isUntold?: boolean
  /** Why it can't be handled, where that's known before it is tried. */
  readonly fault?: Cause.Cause<unknown>
  /** Whether trying again, by the same program, would meet the same. */
  readonly isFinal?: boolean
}

/** An event with its keys, unless it's for another partition; one whose keys can't be told is everyone's. */
export const keyed = (event: Event, keysOf: KeysOf): ReadonlyArray<Keyed> => {
  const keys = Result.try(() => keysOf(event))
  if (Result.isFailure(keys)) return [{ event, keys: [event.stream], isUntold: true, fault: Cause.die(keys.failure) }]
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

type Again<R> = (
  entry: Entry<Parked>,
  held: ReadonlySet<string>
) => Effect.Effect<Fenced | ReadonlyArray<string>, StoreError, R>

/** The parked events of one partition. */
export class Aside {
  /** Keys of which an event is parked: what follows has to wait behind it. */
  private readonly held = new Set<string>()
  /** Keys of the entries that are this partition's, as far as it knows. */
  private readonly mine = new Set<string>()
  private dropped: ReadonlySet<number> = new Set()
  /** What other partitions have put aside of what this one has yet to come to, by position. */
  private others: ReadonlyMap<number, Entry<Parked>> = new Map()
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
      const next = events[end]
      if (next === undefined || this.dropped.has(next.event.position)) continue
      const each = this.others.size === 0 ? next : this.asOthers(next)
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

  // What another partition has put aside stays there where it's dropped, or would only fail here as well.
  private asOthers(each: Keyed): Keyed {
    const other = this.others.get(each.event.position)
    const stays = other !== undefined && (each.fault !== undefined || other.value.state === "dropped")
    return stays ? { event: each.event, keys: [] } : each
  }

  /** Puts an event behind others, or notes it, as part of a commit. */
  pass(each: Keyed): ReadonlyArray<Op> {
    if (each.keys.length > 0) return [this.park(each, [])]
    const { position, seq, stream } = each.event
    const { processor, reader } = this
    const noted = notes(this.store).ops.put(noteKey(reader, position), { processor, stream, seq, position })
    const other = this.others.get(position)
    return other === undefined ? [noted] : [noted, parked(this.store).ops.check(other.key, other.revision)]
  }

  /** Puts an event aside, as part of a commit; to be told by {@link hold} once that happened. */
  park({ event: { position, seq, stream, type }, isUntold, keys }: Keyed, attempts: ReadonlyArray<Attempt>): Op {
    const { processor, reader } = this
    const key = parkedKey(processor, position)
    this.mine.add(key)
    const state = attempts.length === 0 ? "behind" : "parked"
    return parked(this.store).ops.put(
      key,
      { processor, reader, keys, ...isUntold ? { isUntold } : {}, stream, seq, position, type, state, attempts },
      { expected: this.others.get(position)?.revision ?? "absent" }
    )
  }

  /** What removes entries that other partitions have of events that were this one's when it came to them. */
  taken(events: ReadonlyArray<Keyed>): ReadonlyArray<Op> {
    if (this.others.size === 0) return []
    return events.flatMap(({ event }) => {
      const other = this.others.get(event.position)
      return other === undefined ? [] : [parked(this.store).ops.delete(other.key, { expected: other.revision })]
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

  /** The entries of this partition, which is done up to a position, in order, and what they hold back. */
  readonly load = Effect.fnUntraced({ self: this }, function*(
    saved: Position
  ): Effect.fn.Return<ReadonlyArray<Entry<Parked>>, StoreError> {
    this.seen = yield* this.store.head
    const [waiting, dropped, others] = [new Array<Entry<Parked>>(), new Set<number>(), new Map<number, Entry<Parked>>()]
    this.mine.clear()
    const sort = (entry: Entry<Parked>) => {
      const { position, processor, reader, state } = entry.value
      // Another processor's name may begin with this one's and a slash.
      if (processor !== this.processor) return
      if (reader !== this.reader) {
        if (position > saved) others.set(position, entry)
        return
      }
      this.mine.add(entry.key)
      if (state === "dropped") dropped.add(position)
      else waiting.push(entry)
    }
    const all = parked(this.store).scan({ prefix: `${this.processor}/` })
    yield* Stream.runForEachArray(all, (entries) => Effect.sync(() => entries.forEach(sort)))
    this.dropped = dropped
    this.others = yield* this.standing(others)
    this.held.clear()
    for (const { value } of waiting) this.hold(value.keys)
    return waiting
  })

  // Without those from before a reset, which their own partitions remove when they begin.
  private readonly standing = Effect.fnUntraced({ self: this }, function*(
    others: ReadonlyMap<number, Entry<Parked>>
  ): Effect.fn.Return<ReadonlyMap<number, Entry<Parked>>, StoreError> {
    if (others.size === 0) return others
    const readers = Array.from(new Set(Array.from(others.values(), ({ value }) => value.reader)))
    const found = yield* checkpoints(this.store).getMany(readers)
    const reached = new Map(
      found.flatMap((entry) => entry._tag === "Some" ? [[entry.value.key, entry.value.value]] : [])
    )
    return new Map(
      Array.from(others).filter(([position, { value: { reader, state } }]) =>
        state === "dropped" || position <= (reached.get(reader)?.position ?? 0)
      )
    )
  })

  /**
   * Goes through what was parked, in order, where somebody said something of it: what is to be tried again is tried,
   * and then what only waited behind it. `again`, told which keys are held back, answers those that an entry goes on
   * holding back, none where it's done with, or what ends the run.
   */
  settle<R>(
    saved: Position,
    again: Again<R>
  ): Effect.Effect<Fenced | undefined, StoreError, R> {
    return Effect.flatMap(this.changed, (changed) =>
      changed
        ? Effect.flatMap(this.load(saved), (waiting) => this.settleAll(waiting, again))
        : Effect.undefined)
  }

  private settleAll<R>(
    waiting: ReadonlyArray<Entry<Parked>>,
    again: Again<R>
  ): Effect.Effect<Fenced | undefined, StoreError, R> {
    return Effect.gen({ self: this }, function*() {
      const held = new Set<string>()
      for (const entry of waiting) {
        const { keys, state } = entry.value
        const isLeft = state === "parked" || keys.some((key) => held.has(key))
        const left = isLeft ? keys : yield* again(entry, held)
        if ("_tag" in left) return left
        for (const key of left) held.add(key)
        if (left.length === 0) this.mine.delete(entry.key)
      }
      this.held.clear()
      this.hold(Array.from(held))
      return undefined
    })
  }

  /** Whether somebody has said something of them since they were loaded; what this run has made of them isn't that. */
  private get changed(): Effect.Effect<boolean, StoreError> {
    const { seen } = this
    if (this.mine.size === 0 || seen === undefined) return Effect.succeed(false)
    if (!this.isSettled) {
      this.isSettled = true
      return Effect.succeed(true)
    }
    const said = parked(this.store).changedSince({ after: seen }).pipe(
      Stream.filter((change) => this.isSaid(change)),
      Stream.runHead
    )
    return Effect.map(Effect.zip(this.store.head, said), ([head, found]) => {
      this.seen = head
      return found._tag === "Some"
    })
  }

  // One of its own may be another partition's by now, or that one's and done with.
  private isSaid(change: Change<Parked>): boolean {
    if (change._tag !== "Put") return this.mine.has(change.key)
    const { processor, reader, state } = change.value
    return reader === this.reader && processor === this.processor
      ? state === "retry" || state === "dropped"
      : this.mine.has(change.key)
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
