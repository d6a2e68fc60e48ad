/** Trying a parked event again, in the partition it belongs to. */
import { type Entry, type Event, type Fenced, Position, type StoreError, type StoreShape } from "@persist/core"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { describe } from "./failure.ts"
import type { InHand } from "./in-hand.ts"
import { type Parked, parked } from "./names.ts"
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

/** Tries a parked event again; answers whether it's done with, or what ends the run. Fails as reads and commits. */
export const tryAgain = Effect.fnUntraced(function*<R>(
  hands: Hands<R>,
  entry: Entry<Parked>
): Effect.fn.Return<Fenced | boolean, StoreError, R> {
  const { key, revision, value } = entry
  const { assignment, sight, store } = hands
  const read = assignment.source.read(Position(value.position - 1), Position(value.position))
  const { failed, fenced } = yield* Effect.matchEffect(read, {
    // It can't be decoded yet.
    onFailure: (error) =>
      error._tag === "Corrupt"
        ? Effect.succeed<Stretch>({ count: 0, failed: Cause.fail(error), fenced: undefined })
        : Effect.fail(error),
    onSuccess: ({ items }) => {
      const found = items.map((event) => ({ event, keys: value.keys }))
      return sight.stretch(found, 0, release(hands, entry, items))
    }
  })
  if (failed === undefined) return fenced ?? true
  yield* sight.failed
  const attempts = [...value.attempts, { at: yield* Clock.currentTimeMillis, error: describe(failed) }]
  // What somebody says of it meanwhile counts more.
  yield* parked(store).put(key, { ...value, state: "parked", attempts }, { expected: revision })
  return false
})

const release = Effect.fnUntraced(function*<R>(
  { assignment: { work }, inHand, saves, sight, store }: Hands<R>,
  entry: Entry<Parked>,
  items: ReadonlyArray<Event>
): Effect.fn.Return<Stretch, StoreError, R> {
  const { key, value } = entry
  const { saved } = saves.progress
  // What was truncated meanwhile can't be handled any more, and holds nobody back.
  const gone = parked(store).ops.delete(key)
  // What couldn't be told of it may be the same still.
  const own = items.flatMap((event) => keyed(event, work.keysOf))
  const fault = own.find((each) => each.fault !== undefined)?.fault
  if (fault !== undefined) return { count: 0, failed: fault, fenced: undefined }
  const [event] = items
  if (event !== undefined && own.length === 0) return yield* leave(store, saves, entry)
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
 * Leaves an event whose key couldn't be told, and now is another partition's, to that one: what it writes nobody else
 * may. That one has noted it when it came to it, or meets it yet. All begin again, and so look at what they have noted.
 */
const leave = Effect.fnUntraced(function*(
  store: StoreShape,
  saves: Saves,
  { key, revision, value }: Entry<Parked>
): Effect.fn.Return<Stretch, StoreError> {
  const ops = [parked(store).ops.delete(key, { expected: revision }), yield* spur(store, value.processor)]
  const unsaved = yield* saves.keep(saves.progress.saved, { count: 0, ops, failed: undefined })
  return { count: 0, failed: undefined, fenced: undefined, ...unsaved }
})
