/** Pages that are read while those before them are handled, so that a store and its reader work at the same time. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** What one read gives, and where the next one begins; without a `next` there is none. */
export interface Step<P, Cursor> {
  readonly page: P
  readonly next: Cursor | undefined
  /** Whether there is probably more behind it, so that the next page may be read before it's asked for. */
  readonly full: boolean
}

interface State<P, Cursor, E> {
  readonly cursor: Cursor
  /** The page that begins there, if somebody reads it already. */
  readonly coming: Fiber.Fiber<Step<P, Cursor>, E> | undefined
  /** Whether it is the first: whoever asks for another will mostly ask for more. */
  readonly first: boolean
}

/**
 * Reads from a cursor on until there is no next one, and makes the items of each page. From the second page on the one
 * after a full page is read while the items of that are made and handled; it's given up with the stream.
 */
export const paginateAhead = <A, P, Cursor, E>(
  from: Cursor,
  read: (cursor: Cursor) => Effect.Effect<Step<P, Cursor>, E>,
  itemsOf: (page: P) => Effect.Effect<ReadonlyArray<A>, E>
): Stream.Stream<A, E> =>
  Stream.unwrap(Effect.map(Effect.scope, (scope) => {
    const begin: State<P, Cursor, E> = { cursor: from, coming: undefined, first: true }
    // Begun at once, so that the backend has it before the items are made.
    const ahead = (cursor: Cursor) => Effect.forkIn(read(cursor), scope, { startImmediately: true })
    const following = ({ full, next }: Step<P, Cursor>, first: boolean): Effect.Effect<Option.Option<typeof begin>> => {
      if (next === undefined) return Effect.succeedNone
      if (first || !full) return Effect.succeedSome({ cursor: next, coming: undefined, first: false })
      return Effect.map(ahead(next), (coming) => Option.some({ cursor: next, coming, first: false }))
    }
    return Stream.paginate(begin, ({ coming, cursor, first }) =>
      Effect.flatMap(coming === undefined ? read(cursor) : Fiber.join(coming), (step) =>
        Effect.flatMap(following(step, first), (then) =>
          Effect.map(itemsOf(step.page), (items) =>
            [items, then] as const))))
  }))
