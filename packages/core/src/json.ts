/** JSON text and back, refusing what JSON can't carry exactly instead of changing it silently. */
import * as Result from "effect/Result"
import { Corrupt, Invalid } from "./error.ts"
import { pathOf } from "./path.ts"

/** A value that JSON carries as it is. */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

/** Deepest nesting of arrays and objects that is written: what the stack of every JSON writer can bear. */
export const jsonDepth = 1000

/**
 * Writes a value as JSON text, which reads back equal: `-0` as `0`, properties that are `undefined` left out.
 * `Invalid`, naming the path, for anything else JSON would change or drop: `undefined`, functions, symbols, bigints,
 * NaN and the infinities, instances of classes (Date, Map, Uint8Array …), cycles, more than {@link jsonDepth} levels,
 * more text than a string can hold. Symbol keys, and properties of arrays beside their elements, are not looked at.
 */
export const stringifyJson = (field: string, value: unknown): Result.Result<string, Invalid> => {
  // Each event goes through here: a plain try saves the closures and the result of another one.
  try {
    const found = check(value, 0)
    return found === undefined ? Result.succeed(JSON.stringify(value)) : Result.fail(refusal(field, found))
  } catch (cause) {
    return Result.fail(unwritable(field, cause))
  }
}

const unwritable = (field: string, cause: unknown): Invalid =>
  cause instanceof RangeError
    ? new Invalid({
      field,
      reason: "is too large to be written as text",
      remedy: "split it, or keep it in a blob store"
    })
    : new Invalid({ field, reason: "a property of it threw when it was read", remedy: "pass data only", cause })

/** Reads JSON text; `Corrupt` where it is none. Nothing of the text is repeated in the error. */
export const parseJson = (where: string, text: string): Result.Result<Json, Corrupt> => {
  try {
    return Result.succeed(JSON.parse(text))
  } catch {
    const remedy = "restore it from a backup or another copy"
    return Result.fail(new Corrupt({ where, reason: "is not JSON text", remedy }))
  }
}

/** Why a value can't be JSON. `keys` and `holders` lead to it from within, and are filled on the way out. */
interface Fault {
  readonly reason: string
  readonly remedy: string
  readonly keys: Array<PropertyKey>
  /** The values around it, kept only where nesting went too deep: one of them may contain itself. */
  readonly holders: Array<unknown> | undefined
}

const fault = (reason: string, remedy: string): Fault => ({ reason, remedy, keys: [], holders: undefined })

const check = (value: unknown, depth: number): Fault | undefined => {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return undefined
  if (typeof value === "number") return Number.isFinite(value) ? undefined : refuseNumber(value)
  if (typeof value !== "object") return refuseScalar(value)
  if (depth === jsonDepth) return tooDeep(value)
  return Array.isArray(value) ? checkArray(value, depth) : checkObject(value, depth)
}

const checkArray = (array: ReadonlyArray<unknown>, depth: number): Fault | undefined => {
  if (Object.getPrototypeOf(array) !== Array.prototype && !isPlainArray(array)) return refuseInstance(array)
  for (let i = 0; i < array.length; i++) {
    const found = check(array[i], depth + 1)
    if (found !== undefined) return within(found, i, array)
  }
  return undefined
}

const checkObject = (object: object, depth: number): Fault | undefined => {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null && !isRoot(prototype)) return refuseInstance(object)
  // Any object may be read by string keys; for-in with the receiver itself is what the engine makes fast.
  const record = object as Readonly<Record<string, unknown>>
  for (const key in record) {
    const value = record[key]
    if (value === undefined) continue
    const found = check(value, depth + 1)
    if (found !== undefined) return within(found, key, object)
  }
  return undefined
}

// Objects and arrays of another realm (a frame, a vm context) have prototypes of their own.
const isRoot = (prototype: unknown): boolean =>
  typeof prototype === "object" && prototype !== null && Object.getPrototypeOf(prototype) === null

const isPlainArray = (array: ReadonlyArray<unknown>): boolean => {
  const prototype: unknown = Object.getPrototypeOf(array)
  return Array.isArray(prototype) && isRoot(Object.getPrototypeOf(prototype))
}

const within = (found: Fault, key: PropertyKey, holder: unknown): Fault => {
  found.keys.push(key)
  found.holders?.push(holder)
  return found
}

const refuseNumber = (value: number): Fault =>
  fault(`${value} is no JSON number`, "pass a finite number or null, or declare a Schema for it")

const refuseScalar = (value: unknown): Fault => {
  switch (typeof value) {
    case "undefined":
      return fault("undefined is no JSON value", "pass null, or leave the property out")
    case "bigint":
      return fault("a bigint is no JSON value", "pass a string, or declare a Schema for it, such as Schema.BigInt")
    default:
      return fault(`a ${typeof value} is no JSON value`, "pass data only")
  }
}

const refuseInstance = (value: object): Fault => {
  const name: unknown = value.constructor?.name
  const kind = typeof name === "string" && name !== "" ? `an instance of ${name}` : "an instance of a class"
  return fault(
    `${kind} is no JSON value`,
    "pass plain objects and arrays, or declare a Schema that says how it is written"
  )
}

const tooDeep = (value: unknown): Fault => ({
  reason: `is nested more than ${jsonDepth} levels deep`,
  remedy: "flatten it",
  keys: [],
  holders: [value]
})

const refusal = (field: string, { holders, keys, reason, remedy }: Fault): Invalid => {
  keys.reverse()
  const cycle = holders === undefined ? undefined : findCycle(holders.reverse())
  if (cycle === undefined) return new Invalid({ field: pathOf(field, keys), reason, remedy })
  return new Invalid({
    field: pathOf(field, keys.slice(0, cycle.to)),
    reason: `refers back to ${pathOf(field, keys.slice(0, cycle.from))}`,
    remedy: "refer to it by an id instead"
  })
}

const findCycle = (holders: ReadonlyArray<unknown>): { readonly from: number; readonly to: number } | undefined => {
  const places = new Map<unknown, number>()
  for (const [to, holder] of holders.entries()) {
    const from = places.get(holder)
    if (from !== undefined) return { from, to }
    places.set(holder, to)
  }
  return undefined
}
