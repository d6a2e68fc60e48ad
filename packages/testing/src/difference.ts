/** Where two values differ, part by part. */
import * as Equal from "effect/Equal"

/** Stands for a part that one of the two values hasn't got. */
export const absent: unique symbol = Symbol("absent")

/** One place where two values differ. */
export interface Difference {
  /** The keys that lead to it from the whole; none where the whole differs. */
  readonly keys: ReadonlyArray<string | number>
  /** What is there, or {@link absent}. */
  readonly expected: unknown
  readonly actual: unknown
}

/**
 * Every place where two values differ in content, outermost first; none where they are equal. Looked at are arrays in
 * order, objects and maps by key, sets without order, dates, bytes, errors by name and message too, and Effect's data
 * by its own equality. A property that is `undefined` is one that isn't there; which class made an object doesn't
 * matter, since types don't ask either.
 */
export const differences = (expected: unknown, actual: unknown): ReadonlyArray<Difference> => {
  const found: Array<Difference> = []
  compare(expected, actual, [], found)
  return found
}

/** What a value holds under these keys, or {@link absent}. */
export const partAt = (value: unknown, keys: ReadonlyArray<string | number>): unknown =>
  keys.reduce((part: unknown, key) => partOf(partsOf(part), key), value)

const partOf = (parts: Parts | undefined, key: string | number): unknown =>
  parts?.parts.has(key) === true ? parts.parts.get(key) : absent

const compare = (
  expected: unknown,
  actual: unknown,
  keys: ReadonlyArray<string | number>,
  found: Array<Difference>
): void => {
  if (expected === actual) return
  const [left, right] = [partsOf(expected), partsOf(actual)]
  if (left === undefined || right === undefined || left.kind !== right.kind) {
    if (!sameLeaf(expected, actual)) found.push({ keys, expected, actual })
    return
  }
  for (const key of new Set([...left.parts.keys(), ...right.parts.keys()])) {
    compare(partOf(left, key), partOf(right, key), [...keys, key], found)
  }
}

interface Parts {
  readonly kind: "array" | "map" | "object"
  readonly parts: ReadonlyMap<string | number, unknown>
}

/** The parts of a value by key; `undefined` for one that is looked at as a whole. */
const partsOf = (value: unknown): Parts | undefined => {
  if (typeof value !== "object" || value === null || isWhole(value)) return undefined
  if (Array.isArray(value)) {
    return { kind: "array", parts: new Map(value.map((item, i): [number, unknown] => [i, item])) }
  }
  if (value instanceof Map) {
    const keys = Array.from(value.keys())
    return keys.every((key) => typeof key === "string" || typeof key === "number")
      ? { kind: "map", parts: value }
      : undefined
  }
  const own = Object.entries(value)
  // What an error says and what kind it is of aren't among its enumerable properties.
  if (value instanceof Error) own.push(["name", value.name], ["message", value.message])
  return { kind: "object", parts: new Map(own.filter(([, part]) => part !== undefined)) }
}

const isWhole = (value: object): boolean =>
  value instanceof Date || value instanceof Set || ArrayBuffer.isView(value) || Equal.isEqual(value)

const sameLeaf = (a: unknown, b: unknown): boolean => {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b)
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime())
  if (a instanceof Set && b instanceof Set) return sameItems([...a], [...b])
  if (a instanceof Map && b instanceof Map) return sameItems([...a], [...b])
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) return sameBytes(bytesOf(a), bytesOf(b))
  // Left is Effect's own data, which can't change in place: Equal remembers what it answered.
  return Equal.equals(a, b)
}

const bytesOf = ({ buffer, byteLength, byteOffset }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])

const sameItems = (left: ReadonlyArray<unknown>, right: Array<unknown>): boolean =>
  left.length === right.length && left.every((item) => {
    const at = right.findIndex((other) => differences(item, other).length === 0)
    if (at >= 0) right.splice(at, 1)
    return at >= 0
  })
