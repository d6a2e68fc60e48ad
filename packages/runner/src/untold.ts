/** Events whose key couldn't be told when a partition came to them, and that failed in another one: whose are they? */
import { type Entry, type Op, Position, type StoreError, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Parked, parked, parkedKey } from "./names.ts"
import { keyed } from "./parked.ts"
import type { Assignment } from "./processor.ts"

/**
 * What is to be done about one that this partition has noted, by its key as it's told now: nothing while it can't be;
 * where it's this partition's, it is to be tried, in place of where it failed; else it's forgotten, for its own
 * partition has noted it too, or meets it. Each is done before the note goes, and may be done again. Fails as reads.
 */
export const lookAgain = Effect.fnUntraced(function*<R>(
  store: StoreShape,
  { source, work }: Assignment<R>,
  { key, value }: Entry<Parked>
): Effect.fn.Return<ReadonlyArray<Op>, StoreError> {
  const read = yield* Effect.result(source.read(Position(value.position - 1), Position(value.position)))
  if (Result.isFailure(read)) return read.failure._tag === "Corrupt" ? [] : yield* Effect.fail(read.failure)
  const gone = parked(store).ops.delete(key)
  const [own] = read.success.items.flatMap((event) => keyed(event, work.keysOf))
  if (own === undefined) return [gone]
  if (own.keys.length === 0) return []
  const { position, processor } = value
  const tried = parked(store).ops.put(parkedKey(processor, position), { ...value, keys: own.keys, state: "retry" })
  return [tried, gone]
})
