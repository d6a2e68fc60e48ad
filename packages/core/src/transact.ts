/** Transactions that change a store together with tables of the application's own in the same database. */
import type * as Effect from "effect/Effect"
import type { Committed, Conflict } from "./commit.ts"
import type { Op } from "./draft.ts"
import type { StoreError } from "./error.ts"
import type { StoreShape } from "./store.ts"

/**
 * Does some work with the tables, by `T`, and then makes operations on the store happen, all in one transaction or not
 * at all: nothing has happened where they conflict or the work fails. `Unavailable` where the database was in the way
 * of the work, and doing it again may help; `OutcomeUnknown` where the end of the transaction was lost: it may have
 * happened, or may yet; `Invalid` where the database holds another store. Dies where the
 * work leaves behind what can't become lasting.
 */
export type Transact<T> = <E, R>(
  store: StoreShape,
  work: (tables: T) => Effect.Effect<unknown, E, R>,
  ops: ReadonlyArray<Op>
) => Effect.Effect<Committed | Conflict, StoreError | E, R>
