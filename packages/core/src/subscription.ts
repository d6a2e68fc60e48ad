/** Subscriptions: what's there, then what comes, as a Stream of events or of pages, without gap or repetition. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Page } from "./backend.ts"
import type { Catalogue, EventOf } from "./catalogue.ts"
import { readCheckpoint } from "./checkpoint.ts"
import type { StoreError } from "./error.ts"
import { type EventFilter, eventSource, followPages } from "./event-pages.ts"
import * as Fault from "./fault.ts"
import { type StartFrom, startPosition, unknownReader } from "./reader.ts"
import type { Position } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** Which events to receive, and from where on. */
export interface SubscribeOptions<C extends Catalogue> extends EventFilter<C> {
  /** The events to receive; `anyEvents` for all, undecoded. Types that it skips are left out by the backend. */
  readonly events: C
  /**
   * `"start"`: everything there is first; `"end"`: what is appended from now on; `{ position }`: what comes after it;
   * `{ checkpoint }`: what comes after the checkpoint of this reader, which stays where it is.
   */
  readonly from: StartFrom | { readonly checkpoint: string }
}

/**
 * Emits the events there are and then those that come, in the total order, each once; it never ends by itself. Pages
 * are read when they are asked for, so that a slow consumer neither holds up appends nor fills memory, and streams that
 * were truncated or deleted are passed over. Fails with `Invalid` for a wrong option, a position beyond the head or a
 * reader that isn't registered, `Corrupt` where the checkpoint belongs to another history of the store or an event
 * can't be decoded (all before it were emitted), and as every read.
 */
export const subscribe = <C extends Catalogue>(
  store: StoreShape,
  options: SubscribeOptions<C>
): Stream.Stream<EventOf<C>, StoreError> =>
  subscribePages(store, options).pipe(
    Stream.map(({ items }) => items),
    Stream.filter((items) => Arr.isReadonlyArrayNonEmpty(items)),
    Stream.flattenArray
  )

/**
 * The same as pages, for whole-page work: `through` is how far each page has looked, and nothing at or below it is
 * missing. Pages without events come too where they got further, so that a position kept by the caller does.
 */
export const subscribePages = <C extends Catalogue>(
  store: StoreShape,
  options: SubscribeOptions<C>
): Stream.Stream<Page<EventOf<C>>, StoreError> => {
  const fault = Fault.requiredFault(options, ["events", "from", "prefix", "types", "batch"], "from")
  if (fault !== undefined) return Stream.fail(fault)
  const source = eventSource(store, options.events, options)
  if (Result.isFailure(source)) return Stream.fail(source.failure)
  return Stream.unwrap(
    Effect.map(beginning(store, options.from), (from) => followPages(store, source.success, from))
  )
}

const beginning = (
  store: StoreShape,
  from: StartFrom | { readonly checkpoint: string }
): Effect.Effect<Position, StoreError> => {
  if (from === null || typeof from !== "object" || !("checkpoint" in from)) return startPosition(store, from)
  return Effect.flatMap(
    readCheckpoint(store, from.checkpoint),
    (found) => Option.isSome(found) ? Effect.succeed(found.value.position) : Effect.fail(unknownReader(from.checkpoint))
  )
}
