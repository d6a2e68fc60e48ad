/** Turns the protocol's pages into streams that end: one page a chunk, one limit over all of them. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { paginateAhead } from "./ahead.ts"
import type { Page } from "./backend.ts"
import type { Engine, ReadOptions } from "./engine.ts"
import type { StoreError } from "./error.ts"
import { Position, unbounded } from "./sequence.ts"

/** How many items a page asks for: pages of 500 to 5,000 read equally fast. */
export const pageSize = 1000

/**
 * How many items a stream of them holds at a time. While the bench reads a million events from SQLite once more its
 * heap takes 75 MiB more with 500, 140 with 1,000, and 71 with 250 (`npm run bench -- --only read-all-large`); another
 * program, that reads smaller ones for the first time, 125, 132 and 83. 500 are read as fast as 1,000, and a tenth
 * slower from PostgreSQL. V8 gives new objects more room where many outlive a collection, and a page is what does.
 */
const streamedSize = 500

/** Some items, and where to continue; without a `next` there are no more. */
export interface PageOf<A, Cursor> {
  readonly items: ReadonlyArray<A>
  readonly next: Cursor | undefined
}

/**
 * Reads pages from a cursor on until there is no next one or `limit` items were given. `read` is asked for at most
 * `wanted` items and may give fewer; `decode` makes what is given of them, and may leave some out.
 */
export const pages = <A, B, Cursor>(
  limit: number,
  from: Cursor,
  read: (cursor: Cursor, wanted: number) => Effect.Effect<PageOf<A, Cursor>, StoreError>,
  decode: (items: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, StoreError>
): Stream.Stream<B, StoreError> => {
  if (limit === unbounded) {
    const step = ({ items, next }: PageOf<A, Cursor>) => ({ page: items, next, full: items.length >= streamedSize })
    return paginateAhead(from, (cursor) => Effect.map(read(cursor, streamedSize), step), decode)
  }
  // How many more are wanted is known only when these are decoded.
  const limited = Effect.fnUntraced(function*({ cursor, left }: { readonly cursor: Cursor; readonly left: number }) {
    const wanted = Math.min(left, streamedSize)
    const { items, next } = yield* read(cursor, wanted)
    const page = yield* decode(items)
    const rest = left - page.length
    const more = next === undefined || rest <= 0 ? undefined : { cursor: next, left: rest }
    return { page, next: more, full: items.length >= wanted }
  })
  return paginateAhead({ cursor: from, left: limit }, limited, Effect.succeed)
}

/** Which part of the total order to read, and how much of it. */
export interface Stretch {
  readonly after: Position
  readonly to: Position
  readonly limit: number
}

/**
 * Reads pages forwards in the total order, up to the head as it is when the reading begins. A page may hold less than
 * was asked for, or nothing, before that: how far it looked tells where to continue.
 */
export const pagesToHead = <A, B>(
  engine: Engine,
  options: ReadOptions | undefined,
  { after, limit, to }: Stretch,
  read: (cursor: Position, end: Position, wanted: number) => Effect.Effect<Page<A>, StoreError>,
  decode: (items: ReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, StoreError>
): Stream.Stream<B, StoreError> =>
  Stream.unwrap(Effect.map(engine.reading(options, engine.backend.head), (head) => {
    const end = Position(Math.min(head, to))
    // The backend is asked even where there can be nothing: one that can't do it must be able to say so.
    return pages(limit, after, (cursor, wanted) =>
      Effect.map(read(cursor, end, wanted), ({ items, through }) => ({
        items,
        next: through > cursor && through < end ? through : undefined
      })), decode)
  }))
