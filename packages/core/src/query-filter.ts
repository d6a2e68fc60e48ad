/** What a query asks of states: filters by field, all of which must hold, and the order of what it finds. */
import * as Result from "effect/Result"
import { Invalid } from "./error.ts"
import * as Fault from "./fault.ts"
import { encodeScalar } from "./index-key.ts"
import { pathOf } from "./path.ts"
import { compareScalars, fieldIn, type FieldOf, type Kind, kindOf, type Scalar } from "./scalar.ts"
import { fieldFault, type Kinds, type StateFields } from "./state-fields.ts"

/** What has a below and an above. */
type Ordered = string | number | Date

/**
 * What is asked of one field; all of it must hold. Only values of one kind are compared: `gte: 5` finds no text and no
 * `null`, `ne: 5` finds both. `undefined` is the value of a field that isn't there.
 */
export type Filter<V> =
  & { readonly eq?: Asked<V>; readonly ne?: Asked<V> }
  & ([Extract<V, Ordered>] extends [never] ? unknown : RangeFilter<Extract<V, Ordered>>)
  & ([Extract<V, string>] extends [never] ? unknown : TextFilter)

// What an optional field has where it isn't there may be asked for in so many words.
type Asked<V> = undefined extends V ? Exclude<V, undefined> | undefined : V

interface RangeFilter<V> {
  readonly gt?: V
  readonly gte?: V
  readonly lt?: V
  readonly lte?: V
}

interface TextFilter {
  readonly contains?: string
  readonly startsWith?: string
  readonly endsWith?: string
}

/** A field to sort by. */
export interface SortBy<A> {
  readonly field: FieldOf<A>
  /** `"asc"` by default: absent, `null`, `false`, `true`, numbers, dates, texts by their UTF-8 bytes. */
  readonly order?: "asc" | "desc" | undefined
}

type Operator = keyof RangeFilter<never> | keyof TextFilter | "eq" | "ne"

/** One thing that is asked of one field. */
export interface Condition {
  readonly field: string
  readonly operator: Operator
  readonly value: Scalar
  /** The value's kind. */
  readonly kind: Kind
  /** The value as an index has it. */
  readonly encoded: string
}

/** A field to sort by, and which way. */
export interface Sorting {
  readonly field: string
  readonly descending: boolean
}

const ordered: ReadonlyArray<Kind> = ["number", "time", "text"]

// The kinds of values that an operator takes; any where it says none.
const taken: Readonly<Record<Operator, ReadonlyArray<Kind> | undefined>> = {
  eq: undefined,
  ne: undefined,
  gt: ordered,
  gte: ordered,
  lt: ordered,
  lte: ordered,
  contains: ["text"],
  startsWith: ["text"],
  endsWith: ["text"]
}

const operators = Object.keys(taken)

const isOperator = (name: string): name is Operator => operators.includes(name)

/** The conditions of a query's filters; `Invalid` names the field and the operator that can't be asked. */
export const conditionsOf = (
  fields: StateFields,
  where: object | undefined
): Result.Result<ReadonlyArray<Condition>, Fault.Fault> => {
  const conditions: Array<Condition> = []
  if (where === undefined) return Result.succeed(conditions)
  if (where === null || typeof where !== "object") return Result.fail(noFilter("where"))
  for (const [field, filter] of Object.entries(where) as ReadonlyArray<[string, unknown]>) { // whatever was passed
    if (filter === undefined) continue
    const place = pathOf("where", [field])
    const fault = fieldFault(fields, place, field)
    if (fault !== undefined) return Result.fail(fault)
    if (typeof filter !== "object" || filter === null) return Result.fail(noFilter(place))
    for (const [operator, value] of Object.entries(filter) as ReadonlyArray<[string, unknown]>) { // as above
      const condition = conditionOf(fields?.get(field), { field, operator, value, place: pathOf(place, [operator]) })
      if (Result.isFailure(condition)) return Result.fail(condition.failure)
      conditions.push(condition.success)
    }
  }
  return Result.succeed(conditions)
}

interface Filtering {
  readonly field: string
  readonly operator: string
  readonly value: unknown
  readonly place: string
}

const conditionOf = (
  kinds: Kinds,
  { field, operator, place, value }: Filtering
): Result.Result<Condition, Fault.Fault> => {
  if (!isOperator(operator)) {
    const remedy = `use one of ${operators.join(", ")}`
    return Result.fail(new Invalid({ field: place, reason: "is no operator of a filter", remedy }))
  }
  const [kind, encoded] = [kindOf(value), encodeScalar(value)]
  if (kind === undefined || encoded === undefined) return Result.fail(noValue(place))
  const able = taken[operator] ?? [kind]
  if (!able.includes(kind)) return Result.fail(wrongKind(place, kind, able))
  if (kinds !== undefined && !kinds.has(kind)) return Result.fail(wrongKind(place, kind, Array.from(kinds)))
  // What has a kind is a scalar.
  return Result.succeed({ field, operator, value: value as Scalar, kind, encoded })
}

const noFilter = (field: string): Invalid =>
  new Invalid({ field, reason: "is no filter", remedy: "pass { field: { eq: value } }" })

const noValue = (field: string): Invalid =>
  new Invalid({
    field,
    reason: "has no place in an order",
    remedy: "pass well-formed text, a number but NaN, a truth value, a valid date, null or undefined"
  })

const names: Readonly<Record<string, string>> = {
  absent: "undefined",
  null: "null",
  boolean: "a truth value",
  number: "a number",
  time: "a date",
  text: "text"
}

const wrongKind = (field: string, kind: Kind, able: ReadonlyArray<string>): Invalid =>
  new Invalid({
    field,
    reason: `is ${names[kind]}, which can't be asked there`,
    remedy: `pass ${able.map((one) => names[one] ?? one).join(" or ")}`
  })

/** The fields to sort by; `Invalid` names what is none, or is named twice. */
export const sortingOf = (
  fields: StateFields,
  sort: ReadonlyArray<{ readonly field: string; readonly order?: string | undefined }> | undefined
): Result.Result<ReadonlyArray<Sorting>, Fault.Fault> => {
  if (sort === undefined) return Result.succeed([])
  if (!Array.isArray(sort)) return Result.fail(noSort("sort"))
  const sorting: Array<Sorting> = []
  for (const [i, by] of sort.entries()) {
    const place = `sort[${i}]`
    if (by === null || typeof by !== "object") return Result.fail(noSort(place))
    const { field, order = "asc" } = by
    const fault = Fault.optionsFault(by, ["field", "order"]) ?? fieldFault(fields, `${place}.field`, field) ??
      (order === "asc" || order === "desc" ? undefined : noSort(`${place}.order`)) ??
      (sorting.some((other) => other.field === field) ? Fault.twiceFault(`${place}.field`, field) : undefined)
    if (fault !== undefined) return Result.fail(fault)
    sorting.push({ field, descending: order === "desc" })
  }
  return Result.succeed(sorting)
}

const noSort = (field: string): Invalid =>
  new Invalid({ field, reason: "is no order", remedy: `pass [{ field, order: "asc" or "desc" }]` })

/** Whether a state is as it is asked for. */
export const matches = (conditions: ReadonlyArray<Condition>, state: unknown): boolean => {
  for (const condition of conditions) if (!holds(condition, fieldIn(state, condition.field))) return false
  return true
}

const holds = ({ kind, operator, value }: Condition, actual: unknown): boolean => {
  if (kindOf(actual) !== kind) return operator === "ne"
  // Of the same kind as a scalar it is one.
  const order = compareScalars(actual as Scalar, value)
  switch (operator) {
    case "eq":
      return order === 0
    case "ne":
      return order !== 0
    case "gt":
      return order > 0
    case "gte":
      return order >= 0
    case "lt":
      return order < 0
    case "lte":
      return order <= 0
    case "contains":
      return String(actual).includes(String(value))
    case "startsWith":
      return String(actual).startsWith(String(value))
    case "endsWith":
      return String(actual).endsWith(String(value))
  }
}
