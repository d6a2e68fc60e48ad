/** How a query is answered: by which index, from which range of its keys, and whether they come in its order. */
import { boundsOf, textStart } from "./index-key.ts"
import { compareUtf8, prefixEnd } from "./name.ts"
import type { Condition, Sorting } from "./query-filter.ts"
import type { ReadIndex } from "./read-index.ts"

/** A range of keys: `gte <= key < lt`, `undefined` where it has no such bound. */
export interface Bounds {
  readonly gte: string | undefined
  readonly lt: string | undefined
}

/** How to find what a query asks for. */
export interface Plan {
  /** The index whose entries are read; `undefined` where the states are passed themselves. */
  readonly index: ReadIndex | undefined
  readonly bounds: Bounds
  /** Whether what is read comes in the order that is asked for; else all of it is read, and then sorted. */
  readonly ordered: boolean
  /** Last first. */
  readonly reverse: boolean
}

/**
 * Takes the index that serves the most equalities, then the one that comes in the order of the query, then one with a
 * range of the next field, then the first by name; a unique one where its values are all given. Without one that
 * serves any of that, the states are passed.
 */
export const planOf = (
  indexes: ReadonlyArray<ReadIndex>,
  conditions: ReadonlyArray<Condition>,
  sorting: ReadonlyArray<Sorting>
): Plan => {
  const given = new Map<string, string>()
  // Fields whose value is one that a unique index has once.
  const single = new Set<string>()
  for (const { encoded, field, kind, operator } of conditions) {
    if (operator !== "eq") continue
    given.set(field, encoded)
    if (kind !== "absent" && kind !== "null") single.add(field)
  }
  let best: Plan = {
    index: undefined,
    bounds: { gte: undefined, lt: undefined },
    ordered: sorting.length === 0,
    reverse: false
  }
  let most = 0
  for (const index of indexes) {
    const next = index.on.findIndex((field) => !given.has(field))
    const equalities = next === -1 ? index.on.length : next
    const ranged = rangesOf(conditions, index.on[equalities])
    const ordered = isOrdered(index.on.filter((field) => !given.has(field)), given, sorting)
    const served = (index.unique && index.on.every((field) => single.has(field)) ? 1000 : 0) + equalities * 4 +
      (ordered && sorting.length > 0 ? 2 : 0) +
      (ranged.length > 0 ? 1 : 0)
    if (served <= most) continue
    most = served
    const prefix = index.on.slice(0, equalities).map((field) => given.get(field)).join("")
    const reverse = ordered && sorting.at(-1)?.descending === true
    best = { index, bounds: boundsWithin(prefix, ranged), ordered, reverse }
  }
  return best
}

const rangesOf = (conditions: ReadonlyArray<Condition>, field: string | undefined): ReadonlyArray<Condition> =>
  conditions.filter((one) => one.field === field && isRange(one))

const isRange = ({ operator }: Condition): boolean =>
  operator === "gt" || operator === "gte" || operator === "lt" || operator === "lte" || operator === "startsWith"

// Fields of which one value is asked for make no order. Ties are in the order of the keys, the way that the last field
// goes; an index that orders by more than is asked for would break them otherwise.
const isOrdered = (
  on: ReadonlyArray<string>,
  given: ReadonlyMap<string, string>,
  sorting: ReadonlyArray<Sorting>
): boolean => {
  const last = sorting.at(-1)
  if (last === undefined) return true
  const wanted = sorting.filter(({ field }) => !given.has(field))
  return wanted.length === on.length &&
    wanted.every(({ descending, field }, i) => field === on[i] && descending === last.descending)
}

const boundsWithin = (prefix: string, ranged: ReadonlyArray<Condition>): Bounds => {
  let bounds: Bounds = prefix === ""
    ? { gte: undefined, lt: undefined }
    : { gte: prefix, lt: prefixEnd(prefix) }
  for (const condition of ranged) {
    const { gte, lt } = boundsOfCondition(condition)
    bounds = narrowed(bounds, { gte: prefix + gte, lt: prefix + lt })
  }
  return bounds
}

/** The range that is within both. */
export const narrowed = (a: Bounds, b: Bounds): Bounds => ({
  gte: a.gte === undefined || (b.gte !== undefined && compareUtf8(a.gte, b.gte) < 0) ? b.gte : a.gte,
  lt: a.lt === undefined || (b.lt !== undefined && compareUtf8(a.lt, b.lt) > 0) ? b.lt : a.lt
})

/** Whether a key lies within a range. */
export const isWithin = ({ gte, lt }: Bounds, key: string): boolean =>
  (gte === undefined || compareUtf8(gte, key) <= 0) && (lt === undefined || compareUtf8(key, lt) < 0)

/** Whether nothing can lie within a range. */
export const isEmpty = ({ gte, lt }: Bounds): boolean =>
  gte !== undefined && lt !== undefined && compareUtf8(gte, lt) >= 0

// Of values of one kind: what is below a number is no text, no null and not absent.
const boundsOfCondition = ({ encoded, kind, operator, value }: Condition): { gte: string; lt: string } => {
  const [gte, lt] = boundsOf(kind === "number" || kind === "time" ? kind : "text")
  switch (operator) {
    case "gt":
      return { gte: prefixEnd(encoded) ?? lt, lt }
    case "gte":
      return { gte: encoded, lt }
    case "lt":
      return { gte, lt: encoded }
    case "lte":
      return { gte, lt: prefixEnd(encoded) ?? lt }
    default: {
      const start = textStart(String(value))
      return { gte: start, lt: prefixEnd(start) ?? lt }
    }
  }
}
