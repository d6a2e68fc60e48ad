/** Trying a parked event again, in the partition it belongs to. */
import { type Entry, type Event, type Fenced, type Op, Position, type StoreError, type StoreShape } from "@persist/core"
import { checkpoints } from "@persist/core/checkpoint"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { describe } from "./failure.ts"
import type { InHand } from "./in-hand.ts"
import { noteKey, notes, type Parked, parked } from "./names.ts"
import { spur } from "./operate.ts"
import { givenUp, keyed } from "./parked.ts"
import type { Assignment, Handled } from "./processor.ts"
import type { Saves } from "./saves.ts"
import type { Sight, Stretch } from "./sight.ts"

/** What a partition handles its events with, and saves what came of them. */
export interface Hands<R> {
  readonly store: StoreShape
  readonly assignment: Assignment<R>
  readonly saves: Saves
  readonly sight: Sight
  readonly inHand: InHand
}

/**
 * Tries a parked event again, unless one of its keys is held back; answers those that it goes on holding back, none
 * where it's done with here, or what ends the run. Fails as reads and commits.
 */
export const tryAgain = Effect.fnUntraced(function*<R>(
  hands: Hands<R>,
  entry: Entry<Parked>,
  held: ReadonlySet<string>
): Effect.fn.Return<Fenced | ReadonlyArray<string>, StoreError, R> {
  const { assignment: { source, work }, sight, store } = hands
  const { revision, value: { isUntold: _, ...value } } = entry
  const read = yield* Effect.result(source.read(Position(value.position - 1), Position(value.position)))
  if (Result.isFailure(read) && read.failure._tag !== "Corrupt") return yield* Effect.fail(read.failure)
  const items = Result.isFailure(read) ? [] : read.success.items
  const [event] = items
  const [own] = event === undefined ? [] : keyed(event, work.keysOf)
  if (event !== undefined && own === undefined) return yield* leave(hands, entry, event)
  // What wasn't known of its key may be by now: both are held back until everything is put aside by the new one.
  const keys = Array.from(new Set([...value.keys, ...own?.keys ?? []]))
  if (keys.some((key) => held.has(key))) return keys
  // It can't be decoded yet, or what couldn't be told of it may be the same still.
  const fault = Result.isFailure(read) ? Cause.fail(read.failure) : own?.fault
  const { failed, fenced } = yield* sight.stretch(
    own === undefined ? [] : [own],
    0,
    fault === undefined ? release(hands, entry, items) : Effect.succeed({ count: 0, failed: fault, fenced: undefined })
  )
  if (failed === undefined) return fenced ?? []
  yield* sight.failed
  const attempts = [...value.attempts, { at: yield* Clock.currentTimeMillis, error: describe(failed) }]
  const told = fault === undefined && own !== undefined ? { ...value, keys: own.keys } : entry.value
  // What somebody says of it meanwhile counts more.
  yield* parked(store).put(entry.key, { ...told, state: "parked", attempts }, { expected: revision })
  return keys
})

const release = Effect.fnUntraced(function*<R>(
  { assignment: { work }, inHand, saves, sight, store }: Hands<R>,
  { key, value }: Entry<Parked>,
  items: ReadonlyArray<Event>
): Effect.fn.Return<Stretch, StoreError, R> {
  const { saved } = saves.progress
  // What was truncated meanwhile can't be handled any more, and holds nobody back.
  const gone = parked(store).ops.delete(key)
  const step: Handled = items.length === 0
    ? yield* givenUp(value)
    : yield* inHand.during(
      items,
      work.handle(items, value.attempts.length, () => [saves.progress.move(saved), gone], inHand.next)
    )
  if (step.failed !== undefined) return { count: 0, failed: step.failed, fenced: undefined }
  const unsaved = yield* saves.keep(saved, step, [gone])
  if (unsaved !== undefined) return { count: 0, failed: undefined, fenced: undefined, ...unsaved }
  step.committed?.()
  yield* sight.handled(items.length)
  return { count: items.length, failed: undefined, fenced: undefined }
})

/**
 * Leaves an event that by its key is another partition's now to that one: what it writes nobody else may. It is handed
 * over where that one has passed it without handling it, as it has noted, or as it must have where the key could be
 * told and was this partition's. One that it met with its key told, where it couldn't be told here, it has handled.
 * What it has yet to come to it takes along itself, and until then it stays here.
 */
const leave = Effect.fnUntraced(function*<R>(
  { assignment: { homeOf }, saves, store }: Hands<R>,
  { key, revision, value: { isUntold, ...value } }: Entry<Parked>,
  event: Event
): Effect.fn.Return<Fenced | ReadonlyArray<string>, StoreError> {
  const gone = parked(store).ops.delete(key, { expected: revision })
  const home = homeOf?.(event)
  const save = (ops: ReadonlyArray<Op>) => Effect.map(saves.save(saves.progress.saved, ops), (fenced) => fenced ?? [])
  // It's no partition's any more.
  if (home === undefined || home.reader === value.reader) return yield* save([gone])
  const noted = noteKey(home.reader, value.position)
  const note = Option.getOrUndefined(yield* notes(store).entry(noted))
  const reached = Option.getOrUndefined(yield* checkpoints(store).get(home.reader))?.position ?? 0
  if (note === undefined && isUntold !== true && reached < value.position) return value.keys
  const again = yield* spur(store, value.processor)
  // Whoever has none yet may make one meanwhile.
  if (note === undefined && isUntold === true) {
    return yield* save([again, gone, notes(store).ops.check(noted, "absent")])
  }
  const { attempts } = value
  // What has failed there was to tell its key.
  const handed: Parked = {
    ...value,
    reader: home.reader,
    keys: [home.key],
    state: "retry",
    attempts: isUntold === true ? [] : attempts
  }
  return yield* save([
    again,
    parked(store).ops.put(key, handed, { expected: revision }),
    note === undefined
      ? notes(store).ops.check(noted, "absent")
      : notes(store).ops.delete(noted, { expected: note.revision })
  ])
})
