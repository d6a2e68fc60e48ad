/** An event that its catalogue can't make anything of: a failure of its own, not of all that comes after it. */
import { type Corrupt, type Event, Position, type StoreError, type StoreShape, unbounded } from "@persist/core"
import type { EventSource } from "@persist/core/event-pages"
import { firstOfAll } from "@persist/core/log-pages"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

/** An event without what it says, and why that can't be told. */
export interface Undecodable {
  readonly event: Event
  readonly fault: Cause.Cause<Corrupt>
}

/**
 * The first event after a position, where it's that which can't be decoded; `undefined` where reading on there fails
 * for something else, or doesn't any more. Fails as every read.
 */
export const undecodableAfter = Effect.fnUntraced(function*(
  { engine }: StoreShape,
  source: EventSource<Event>,
  after: Position
): Effect.fn.Return<Undecodable | undefined, StoreError> {
  const stored = yield* firstOfAll(engine, { ...source.filter, after, to: Position(unbounded) })
  if (stored === undefined) return undefined
  const { at, position, seq, stream, type } = stored
  const read = yield* Effect.result(source.read(Position(position - 1), position))
  if (Result.isSuccess(read)) return undefined
  if (read.failure._tag !== "Corrupt") return yield* Effect.fail(read.failure)
  const event: Event = { stream, seq, position, type, at, data: undefined, meta: undefined, id: undefined }
  return { event, fault: Cause.fail(read.failure) }
})
