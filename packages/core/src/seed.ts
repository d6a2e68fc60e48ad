/** A projection's seed as a function: every replay begins with a state nobody else holds. */
import * as Result from "effect/Result"
import { Invalid } from "./error.ts"
import { pathOf } from "./path.ts"

/**
 * Makes the function that gives a seed: the caller's own, or copies of the value. Copied are primitives, plain objects,
 * arrays, maps, sets, dates and bytes; anything else is `Invalid`, since a copy could lose what makes it work.
 */
export const seedThunk = <S>(seed: S | (() => S)): Result.Result<() => S, Invalid> => {
  // A state is data, so a function can only be the maker of one.
  if (typeof seed === "function") return Result.succeed(seed as () => S)
  const keys: Array<PropertyKey> = []
  if (!isCopyable(seed, keys, new Set())) {
    return Result.fail(
      new Invalid({
        field: pathOf("seed", keys.reverse()),
        reason: "can't be copied for every replay",
        remedy: "pass a function that makes the seed"
      })
    )
  }
  // One copy now: what the caller does to the object afterwards must not reach the seed.
  const kept = copy(seed)
  return Result.succeed(() => copy(kept))
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const isCopyable = (value: unknown, keys: Array<PropertyKey>, holders: Set<unknown>): boolean => {
  if (typeof value === "function" || typeof value === "symbol") return false
  if (typeof value !== "object" || value === null || value instanceof Date || value instanceof Uint8Array) return true
  if (holders.has(value)) return false
  holders.add(value)
  const copyable = value instanceof Map
    ? Array.from(value).every((entry) => isCopyable(entry, [], holders))
    : value instanceof Set
    ? Array.from(value).every((item) => isCopyable(item, [], holders))
    : (Array.isArray(value) || isPlain(value)) && Object.entries(value).every(([key, item]) => {
      if (isCopyable(item, keys, holders)) return true
      keys.push(Array.isArray(value) ? Number(key) : key)
      return false
    })
  holders.delete(value)
  return copyable
}

const copy = <A>(value: A): A => copyUnknown(value) as A // The copy of a value is of its type.

const copyUnknown = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (value instanceof Date) return new Date(value)
  // Not the value's own `slice`: that of Node's Buffer, which is a Uint8Array too, would share its memory.
  if (value instanceof Uint8Array) return Uint8Array.prototype.slice.call(value)
  if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [copyUnknown(key), copyUnknown(item)]))
  if (value instanceof Set) return new Set(Array.from(value, copyUnknown))
  if (Array.isArray(value)) return value.map(copyUnknown)
  const copied = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyUnknown(item)]))
  return Object.getPrototypeOf(value) === null ? Object.setPrototypeOf(copied, null) : copied
}
