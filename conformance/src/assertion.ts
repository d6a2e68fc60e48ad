/** What laws assert with: each is an effect that fails with the reason, in terms of what was asked of the store. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** A law doesn't hold: `reason` says what was seen and what should have been. */
export class Broken extends Data.TaggedError("Broken")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason
  }
}

/** Fails with a reason. */
export const broken = (reason: string): Effect.Effect<never, Broken> => Effect.fail(new Broken({ reason }))

/** Fails with `reason` unless the condition holds. */
export const holds = (condition: boolean, reason: string): Effect.Effect<void, Broken> =>
  condition ? Effect.void : broken(reason)

/** Fails unless two values have the same content; `what` names the thing seen. */
export const equal = <A>(what: string, actual: A, expected: A): Effect.Effect<void, Broken> =>
  same(actual, expected) ? Effect.void : broken(`${what}: expected ${show(expected)}, saw ${show(actual)}`)

/** Fails unless every item passes, and unless there is at least one: a "for all" over nothing proves nothing. */
export const every = <A>(
  what: string,
  items: ReadonlyArray<A>,
  passes: (item: A, index: number, all: ReadonlyArray<A>) => boolean
): Effect.Effect<void, Broken> => {
  if (items.length === 0) return broken(`${what}: there was nothing to look at`)
  const at = items.findIndex((item, index) => !passes(item, index, items))
  return at < 0 ? Effect.void : broken(`${what}: not so for ${show(items[at])} (number ${at + 1} of ${items.length})`)
}

/** The value, or a failure where there is none. */
export const present = <A>(what: string, value: A | undefined): Effect.Effect<A, Broken> =>
  value === undefined ? broken(`${what}: there is none`) : Effect.succeed(value)

/** Whether two values have the same content: bytes, arrays in order, objects by key, where `undefined` is absence. */
export const same = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    if (!(a instanceof Uint8Array && b instanceof Uint8Array) || a.byteLength !== b.byteLength) return false
    return a.every((byte, i) => byte === b[i])
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [fields(a), fields(b)]
  return left.size === right.size && [...left].every(([key, value]) => right.has(key) && same(value, right.get(key)))
}

const fields = (value: object): Map<string, unknown> =>
  new Map(Object.entries(value).filter(([, field]) => Array.isArray(value) || field !== undefined))

const longest = 300

/** A value as a reason shows it, cut short. */
export const show = (value: unknown): string => {
  const text = value === undefined
    ? "undefined"
    : JSON.stringify(
      value,
      (_, field: unknown) =>
        field instanceof Uint8Array ? `<${field.byteLength} bytes ${[...field.subarray(0, 8)].join(" ")}>` : field
    )
  return text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text
}
