/** Queries over the states of a read model: filters by field, an order, pages. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Catalogue } from "./catalogue.ts"
import type { ReadOptions } from "./engine.ts"
import { Invalid, type StoreError } from "./error.ts"
import * as Fault from "./fault.ts"
import type { Entry } from "./kv.ts"
import { successor } from "./name.ts"
import { pageSize } from "./pages.ts"
import { fingerprintOf, type Place, readCursor, writeCursor } from "./query-cursor.ts"
import {
  type Condition,
  conditionsOf,
  type Filter,
  matches,
  type SortBy,
  type Sorting,
  sortingOf
} from "./query-filter.ts"
import { type Bounds, narrowed, type Plan, planOf } from "./query-plan.ts"
import { type Reading, readingOf } from "./query-read.ts"
import { Best } from "./query-sort.ts"
import type { ReadModel } from "./read-model.ts"
import type { FieldOf } from "./scalar.ts"
import type { StoreShape } from "./store.ts"

/** What is asked of a read model. */
export interface Query<A> extends ReadOptions {
  /** What the states must be like: every filter must hold. */
  readonly where?: { readonly [F in FieldOf<A>]?: Filter<A[F]> | undefined } | undefined
  /**
   * The order of the items; those that are the same in it come by their keys, the way that its last field goes. By
   * default they come as they are found: by the index that serves the filters, else by their keys.
   */
  readonly sort?: ReadonlyArray<SortBy<A>> | undefined
  /** Most items of a page; 100 by default. */
  readonly limit?: number | undefined
  /** The `next` of a page of the same query: goes on behind it. */
  readonly after?: string | undefined
}

/** Some states that are as they were asked for, in order. */
export interface QueryPage<A> {
  readonly items: ReadonlyArray<Entry<A>>
  /** Where to go on: the `after` of the next page, which may turn out empty; `undefined` where there is no more. */
  readonly next: string | undefined
  /** The index that was used; `undefined` where the states were passed. */
  readonly index: string | undefined
  /** How many keys were looked at for the items: far more than there are items is a sign that an index is missing. */
  readonly scanned: number
}

/**
 * Finds the states of a read model that are as they are asked for, by the page. An index that it declares is used where
 * it serves the filters or the order; where none does, the states are passed and filtered, and `scanned` says so.
 *
 * Every item is a state as it was at some moment of the call, when it was as it's asked for and stood where it is
 * shown; no key is shown twice on a page. What changes while pages are read is not held still: a state that moves from
 * behind the cursor to before it isn't met again, one that moves the other way is met twice, in its two forms.
 *
 * Fails with `Invalid` for a field that states don't have, an operator or value that doesn't fit it, a cursor of
 * another query, a model whose index was not built (rebuild it, or give it a new version), and where a state to be
 * sorted has NaN or a lone surrogate in a field of the order; `Corrupt` where a stored state can't be read; and as
 * every kv read.
 */
export const query = <C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  asked?: Query<NoInfer<A>>
): Effect.Effect<QueryPage<A>, StoreError> => queryOver(store, model, asked, (read) => Result.succeed(read))

/** The same over what a plan would read, changed. */
export const queryOver = <C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  asked: Query<A> | undefined,
  change: (read: Reading<A>, plan: Plan) => Result.Result<Reading<A>, Fault.Fault>
): Effect.Effect<QueryPage<A>, StoreError> =>
  Effect.suspend(() => {
    const prepared = prepare(store, model, asked, change)
    if (Result.isFailure(prepared)) return Effect.fail(prepared.failure)
    return prepared.success.plan.ordered ? walk(prepared.success) : gather(prepared.success)
  })

/** A query ready to be answered. */
interface Prepared<A> {
  readonly plan: Plan
  readonly conditions: ReadonlyArray<Condition>
  readonly sorting: ReadonlyArray<Sorting>
  readonly limit: number
  /** Behind which place it goes on. */
  readonly after: Place | undefined
  readonly cursor: (place: Place) => string
  readonly read: Reading<A>
}

const prepare = <C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  asked: Query<A> = {},
  change: (read: Reading<A>, plan: Plan) => Result.Result<Reading<A>, Fault.Fault>
): Result.Result<Prepared<A>, Fault.Fault> => {
  const fault = Fault.optionsFault(asked, ["where", "sort", "limit", "after", "atLeast"])
  if (fault !== undefined) return Result.fail(fault)
  const { after, atLeast, limit = 100, sort, where } = asked
  if (Fault.limitFault(limit) !== undefined) return Result.fail(noLimit)
  const conditions = conditionsOf(model.fields, where)
  if (Result.isFailure(conditions)) return Result.fail(conditions.failure)
  const sorting = sortingOf(model.fields, sort)
  if (Result.isFailure(sorting)) return Result.fail(sorting.failure)
  const plan = planOf(model.readIndexes, conditions.success, sorting.success)
  const fingerprint = fingerprintOf(model.namespace, plan, conditions.success, sorting.success)
  const place = after === undefined
    ? Result.succeed(undefined)
    : readCursor(fingerprint, plan.ordered ? 1 : sorting.success.length + 1, after)
  if (Result.isFailure(place)) return Result.fail(place.failure)
  return Result.map(change(readingOf(store, model, plan, { atLeast }), plan), (read) => ({
    plan,
    conditions: conditions.success,
    sorting: sorting.success,
    limit,
    after: place.success,
    cursor: (last) => writeCursor(fingerprint, last),
    read
  }))
}

const noLimit = new Invalid({
  field: "limit",
  reason: "is no whole number from 1",
  remedy: "pass how many items a page may have"
})

/** What of a range lies behind a key that was read. */
const behind = (bounds: Bounds, place: string, reverse: boolean): Bounds =>
  narrowed(bounds, reverse ? { gte: undefined, lt: place } : { gte: successor(place), lt: undefined })

// Keys that come in the order asked for: as many as it takes.
const walk = Effect.fnUntraced(function*<A>(
  { after, conditions, cursor, limit, plan, read }: Prepared<A>
): Effect.fn.Return<QueryPage<A>, StoreError> {
  const items: Array<Entry<A>> = []
  const shown = new Set<string>()
  const start = after?.[0]
  let bounds = start === undefined ? plan.bounds : behind(plan.bounds, start, plan.reverse)
  let scanned = 0
  const page = (next: string | undefined) => ({ items, next, index: plan.index?.name, scanned })
  for (let size = Math.min(limit, pageSize);; size = Math.min(size * 2, pageSize)) {
    const { looks, more } = yield* read(bounds, size)
    for (const [i, { entry, place }] of looks.entries()) {
      scanned++
      if (entry === undefined || shown.has(entry.key) || !matches(conditions, entry.value)) continue
      shown.add(entry.key)
      items.push(entry)
      if (items.length === limit) return page(more || i + 1 < looks.length ? cursor([place]) : undefined)
    }
    const last = looks.at(-1)
    if (!more || last === undefined) return page(undefined)
    bounds = behind(bounds, last.place, plan.reverse)
  }
})

// Keys that come in another order: all of them, of which the best are kept.
const gather = Effect.fnUntraced(function*<A>(
  { after, conditions, cursor, limit, plan, read, sorting }: Prepared<A>
): Effect.fn.Return<QueryPage<A>, StoreError> {
  const best = new Best<A>(sorting, limit + 1)
  let bounds = plan.bounds
  let scanned = 0
  while (true) {
    const { looks, more } = yield* read(bounds, pageSize)
    scanned += looks.length
    const matching = looks.flatMap(({ entry }) => entry !== undefined && matches(conditions, entry.value) ? entry : [])
    yield* Effect.fromResult(best.take(matching, after))
    const last = looks.at(-1)
    if (!more || last === undefined) break
    bounds = behind(bounds, last.place, plan.reverse)
  }
  // One more than the page takes tells that there is more.
  const selected = best.select()
  const items = selected.slice(0, limit)
  const end = selected.length > limit ? items.at(-1) : undefined
  return {
    items: items.map(({ entry }) => entry),
    next: end === undefined ? undefined : cursor(end.place),
    index: plan.index?.name,
    scanned
  }
})
