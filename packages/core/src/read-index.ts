/** Indexes of a read model: its states by their fields, as keys of a namespace each. */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Result from "effect/Result"
import { Invalid, LimitExceeded } from "./error.ts"
import * as Fault from "./fault.ts"
import { afterValues, encodeScalar } from "./index-key.ts"
import { compareUtf8, nameFault } from "./name.ts"
import { pathOf, quoted } from "./path.ts"
import type { Payload } from "./payload.ts"
import { fieldIn, type FieldOf } from "./scalar.ts"
import { fieldFault, type StateFields } from "./state-fields.ts"

/** An index as it is declared. */
export interface IndexDefinition<A> {
  /** The fields that it orders states by, the first before the second. */
  readonly on: NonEmptyReadonlyArray<FieldOf<A>>
  /**
   * Whether no two states may have the same values in these fields; the event that would bring it about is refused.
   * A state that has none in one of them, or `null`, is bound to nothing.
   */
  readonly unique?: boolean | undefined
}

/** What an index is, as its read model's checkpoint records it. */
export interface IndexForm {
  readonly name: string
  readonly on: ReadonlyArray<string>
  readonly unique: boolean
}

/**
 * An index of a read model. A state's entry is a key of `namespace`: the values of its fields as `encodeScalar` writes
 * them, then the state's own key. In a unique index the entry of a state that has all of the values ends with them, so
 * that there is one such key, and holds the state's key.
 */
export interface ReadIndex extends IndexForm {
  readonly namespace: string
}

// The same of whatever state.
interface AnyIndex {
  readonly on: ReadonlyArray<string>
  readonly unique?: boolean | undefined
}

/** Longest name of an index, in characters. */
const longestName = 64

/** The indexes of the read model in a namespace, by name; fails with the fault of the first that can't be one. */
export const makeIndexes = (
  namespace: string,
  definitions: Readonly<Record<string, AnyIndex>> | undefined,
  fields: StateFields
): Result.Result<ReadonlyArray<ReadIndex>, Fault.Fault> => {
  if (definitions === undefined) return Result.succeed([])
  if (definitions === null || typeof definitions !== "object") return Result.fail(noIndexes)
  const indexes: Array<ReadIndex> = []
  for (const [name, definition] of Object.entries(definitions)) {
    const fault = indexFault(name, definition, fields)
    if (fault !== undefined) return Result.fail(fault)
    const { on, unique = false } = definition
    indexes.push({ name, on: Array.from(on), unique, namespace: indexNamespace(namespace, name) })
  }
  return Result.succeed(indexes.sort((a, b) => compareUtf8(a.name, b.name)))
}

/** The namespace of an index: no read model has it, since what follows the last `@` of theirs is a number. */
export const indexNamespace = (namespace: string, name: string): string => `${namespace}/${name}`

/** What is recorded of indexes. */
export const indexForms = (indexes: ReadonlyArray<ReadIndex>): ReadonlyArray<IndexForm> =>
  indexes.map(({ name, on, unique }) => ({ name, on, unique }))

/** Whether two records of indexes are the same. */
export const sameForms = (a: ReadonlyArray<IndexForm>, b: ReadonlyArray<IndexForm>): boolean =>
  JSON.stringify(a.map(formText).sort()) === JSON.stringify(b.map(formText).sort())

const formText = ({ name, on, unique }: IndexForm): string => JSON.stringify([name, on, unique])

const indexFault = (
  name: string,
  definition: AnyIndex,
  fields: StateFields
): Fault.Fault | undefined => {
  const place = pathOf("indexes", [name])
  if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name) || name.length > longestName) return badName(place)
  if (definition === null || typeof definition !== "object") return noIndexes
  const { on, unique } = definition
  const fault = Fault.optionsFault(definition, ["on", "unique"]) ?? Fault.flagFault(`${place}.unique`, unique)
  if (fault !== undefined) return fault
  if (!Array.isArray(on) || on.length === 0) return noFields(`${place}.on`)
  for (const [i, field] of on.entries()) {
    const wrong = fieldFault(fields, `${place}.on[${i}]`, field)
    if (wrong !== undefined) return wrong
  }
  return new Set(on).size === on.length ? undefined : Fault.twiceFault(`${place}.on`, "a field")
}

const noIndexes = new Invalid({
  field: "indexes",
  reason: "are no indexes by name",
  remedy: "pass { byCustomer: { on: [\"customer\"] } }"
})

const badName = (field: string): Invalid =>
  new Invalid({
    field,
    reason: "is no name of an index",
    remedy: `use up to ${longestName} letters, digits, - and _, a letter first`
  })

const noFields = (field: string): Invalid =>
  new Invalid({ field, reason: "is no list of fields", remedy: "name at least one field of the state" })

/**
 * A state's entries, one of each index in their order. Fails with `Invalid` for a value that has no order, and with
 * `LimitExceeded` where an entry would be longer than a key may be; both name the field.
 */
export const entriesOf = (
  indexes: ReadonlyArray<ReadIndex>,
  key: string,
  state: unknown,
  nameBytes: number
): Result.Result<ReadonlyArray<string>, Fault.Fault> => {
  const entries: Array<string> = []
  for (const index of indexes) {
    const entry = entryOf(index, key, state)
    if (Result.isFailure(entry)) return Result.fail(entry.failure)
    const fault = longFault(index, key, state, entry.success, nameBytes)
    if (fault !== undefined) return Result.fail(fault)
    entries.push(entry.success)
  }
  return Result.succeed(entries)
}

/** A state's entry in an index, however long; `Invalid` for a value that has no order. */
export const entryOf = (
  { name, on, unique }: ReadIndex,
  key: string,
  state: unknown
): Result.Result<string, Invalid> => {
  let entry = ""
  let whole = unique
  for (const field of on) {
    const value = fieldIn(state, field)
    const encoded = encodeScalar(value)
    if (encoded === undefined) {
      return Result.fail(noOrder(pathOf(`state of key ${quoted(key)}`, [field]), `the index ${name}`))
    }
    if (value === undefined || value === null) whole = false
    entry += encoded
  }
  return Result.succeed(whole ? entry : entry + key)
}

/** The refusal of a value that has no place in an order. */
export const noOrder = (field: string, whose: string): Invalid =>
  new Invalid({
    field,
    reason: `has no place in the order that ${whose} keeps`,
    remedy: "keep well-formed text, numbers but NaN, truth values, valid dates, null or nothing in it"
  })

const longFault = (
  { name, on }: ReadIndex,
  key: string,
  state: unknown,
  entry: string,
  limit: number
): LimitExceeded | undefined => {
  const fault = nameFault("entry", entry, limit)
  if (fault?._tag !== "LimitExceeded") return undefined
  const lengthOf = (field: string) => encodeScalar(fieldIn(state, field))?.length ?? 0
  const longest = on.reduce((a, b) => lengthOf(b) > lengthOf(a) ? b : a)
  return new LimitExceeded({
    field: pathOf(`state of key ${quoted(key)}`, [longest]),
    limit,
    actual: fault.actual,
    unit: "bytes",
    remedy: `keep less in the fields of the index ${name}, whose entries are keys: a digest, or a beginning`
  })
}

/** Whether an entry stands for its values alone, so that no second state may have it. */
export const isWhole = ({ on, unique }: ReadIndex, entry: string): boolean =>
  unique && afterValues(entry, on.length) === ""

/** What an entry holds: the state's key, where its own doesn't end with it. */
export const contentOf = (index: ReadIndex, entry: string, key: string): Payload =>
  isWhole(index, entry) ? JSON.stringify(key) : "null"
