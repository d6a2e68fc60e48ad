/** Pages of a growing order: everything that is there, then whatever comes, without gap or repetition at the seam. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { paginateAhead } from "./ahead.ts"
import type { Page } from "./backend.ts"
import type { Engine } from "./engine.ts"
import type { StoreError } from "./error.ts"
import { closedFault } from "./fault.ts"
import type { Position } from "./sequence.ts"

/**
 * Reads page after page of at most `limit` items from a position on, waiting for the backend's wake-ups at the end; it
 * ends only when the store is closed.
 * Listening starts before the first read, so nothing can be committed unnoticed between the two. Pages without items
 * are given too where they got further, so that a checkpoint moves over stretches that a filter leaves out.
 */
export const follow = <A>(
  { changes }: Engine,
  from: Position,
  limit: number,
  read: (after: Position) => Effect.Effect<Page<A>, StoreError>
): Stream.Stream<Page<A>, StoreError> =>
  Stream.unwrap(Effect.map(Stream.toPull(changes), (pull) => {
    const open = Pull.catchDone(Effect.as(pull, true), () => Effect.succeed(false))
    const next = (after: Position): Effect.Effect<Page<A> | undefined, StoreError> =>
      Effect.flatMap(read(after), (page) =>
        page.items.length > 0 || page.through > after
          ? Effect.succeed(page)
          : Effect.flatMap(open, (more) => more ? next(after) : Effect.undefined))
    return paginateAhead(from, (after: Position) =>
      Effect.map(next(after), (page) =>
        page === undefined
          ? { page: [], next: undefined, full: false }
          : { page: [page], next: page.through, full: page.items.length >= limit }), Effect.succeed)
  }))

/**
 * Looks after every wake-up whether it's so, until it is. Fails with `late` after so many milliseconds, with `Invalid`
 * where the store is closed before, and as looking does.
 */
export const until = (
  { changes }: Pick<Engine, "changes">,
  there: Effect.Effect<boolean, StoreError>,
  within: number,
  late: () => StoreError
): Effect.Effect<void, StoreError> =>
  Effect.flatMap(there, (already) =>
    already ? Effect.void : changes.pipe(
      Stream.mapEffect(() => there),
      Stream.filter((reached) => reached),
      Stream.runHead,
      Effect.flatMap((reached) => Option.isSome(reached) ? Effect.void : Effect.fail(closedFault)),
      Effect.timeoutOrElse({ duration: within, orElse: () => Effect.fail(late()) })
    ))
