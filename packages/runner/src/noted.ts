/** What partitions have passed without handling it, though it may be theirs, and what becomes of it when they begin. */
import { type Event, type Fenced, type Op, Position, type StoreError, type StoreShape } from "@persist/core"
import type { EventSource } from "@persist/core/event-pages"
import { pageSize } from "@persist/core/pages"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Restore } from "./attempts.ts"
import { type Note, noteKey, notes, type Parked, parked, parkedKey } from "./names.ts"
import { keyed, type KeysOf } from "./parked.ts"
import type { Hands } from "./retry.ts"

/** Whose notes are looked at. */
export interface Holder {
  readonly processor: string
  readonly reader: string
}

/**
 * Looks at what a partition has noted, by the keys as they are told now: what is its own it takes over, to be tried;
 * what is another's it forgets, for that one has noted it too, or meets it; what still can't be told stays. Each page
 * is saved by itself, and an interruption comes in between. Fails as reads and commits.
 */
export const lookAgain = Effect.fnUntraced(function*<R>(
  { assignment: { source, work }, saves, store }: Hands<R>,
  { processor, reader }: Holder,
  restore: Restore
): Effect.fn.Return<Fenced | undefined, StoreError> {
  let last: string | undefined
  while (true) {
    const after = last === undefined ? {} : { gt: last }
    const page = yield* Stream.runCollect(notes(store).scan({ prefix: `${reader}/`, ...after, limit: pageSize }))
    last = page.at(-1)?.key
    if (last === undefined) return undefined
    // Another processor's name may begin with this one's and a slash.
    const own = page.flatMap(({ value }) => value.processor === processor ? [value] : [])
    const fenced = yield* saves.apart(
      yield* decide(store, source, { reader, saved: saves.progress.saved, keysOf: work.keysOf }, own)
    )
    if (fenced !== undefined) return fenced
    yield* restore(Effect.void)
  }
})

interface Looking {
  readonly reader: string
  readonly saved: Position
  readonly keysOf: KeysOf
}

const decide = Effect.fnUntraced(function*(
  store: StoreShape,
  source: EventSource<Event>,
  { keysOf, reader, saved }: Looking,
  own: ReadonlyArray<Note>
): Effect.fn.Return<ReadonlyArray<Op>, StoreError> {
  const entries = yield* parked(store).getMany(own.map(({ position, processor }) => parkedKey(processor, position)))
  const undecided = own.map((note, i) => ({ note, entry: Option.getOrUndefined(entries[i] ?? Option.none()) }))
    // Somebody may ask yet that it be tried.
    .filter(({ entry }) => entry?.value.state !== "dropped")
  const met = yield* eventsAt(source, undecided.flatMap(({ note: { position } }) => position > saved ? [] : [position]))
  return undecided.flatMap(({ entry, note: { position, processor } }) => {
    const event = met.get(position)
    if (event === "unreadable") return []
    const gone = notes(store).ops.delete(noteKey(reader, position))
    const [found] = event === undefined ? [] : keyed(event, keysOf)
    // It was truncated, or it's another's, or it was noted before a reset and is met again.
    if (event === undefined || found === undefined) return [gone]
    if (found.fault !== undefined) return []
    const { seq, stream, type } = event
    const tried: Parked = {
      processor,
      reader,
      keys: found.keys,
      stream,
      seq,
      position,
      type,
      state: "retry",
      attempts: []
    }
    const expected = entry?.revision ?? "absent"
    return [parked(store).ops.put(parkedKey(processor, position), tried, { expected }), gone]
  })
})

type Found = ReadonlyMap<number, Event | "unreadable">

// Those that are near each other take one read.
const eventsAt = Effect.fnUntraced(function*(
  source: EventSource<Event>,
  positions: ReadonlyArray<number>
): Effect.fn.Return<Found, StoreError> {
  const found = new Map<number, Event | "unreadable">()
  for (let from = 0; from < positions.length;) {
    const first = positions[from] ?? 0
    const beyond = positions.findIndex((position, i) => i > from && position >= first + source.limit)
    const near = positions.slice(from, beyond === -1 ? undefined : beyond)
    const all = yield* between(source, first, near.at(-1) ?? first)
    for (const position of near) {
      const one = all === undefined && near.length > 1 ? yield* between(source, position, position) : all
      const event = one?.find((each) => each.position === position)
      if (one === undefined) found.set(position, "unreadable")
      else if (event !== undefined) found.set(position, event)
    }
    from += near.length
  }
  return found
})

// None of them where one can't be decoded.
const between = (
  source: EventSource<Event>,
  first: number,
  last: number
): Effect.Effect<ReadonlyArray<Event> | undefined, StoreError> =>
  Effect.flatMap(Effect.result(source.read(Position(first - 1), Position(last))), (read) => {
    if (Result.isSuccess(read)) return Effect.succeed(read.success.through < last ? undefined : read.success.items)
    return read.failure._tag === "Corrupt" ? Effect.undefined : Effect.fail(read.failure)
  })
