/** What of a state has an order: the values of its fields that indexes keep, filters compare and queries sort by. */
import { compareUtf8 } from "./name.ts"

/** A value with an order: text, a finite or infinite number, a truth value, a valid date, `null`, or none at all. */
export type Scalar = string | number | boolean | Date | null | undefined

/** The fields of a state whose values have an order. */
export type FieldOf<A> = { [F in keyof A]-?: A[F] extends Scalar ? F : never }[keyof A] & string

/** The kinds of values, of which every one is wholly below or above every other; see {@link compareScalars}. */
export type Kind = "absent" | "null" | "boolean" | "number" | "time" | "text"

const rank: Readonly<Record<Kind, number>> = { absent: 0, null: 1, boolean: 2, number: 3, time: 4, text: 5 }

/** The kind of a value; `undefined` for what has no order: NaN, an invalid date, an object, a function, a bigint. */
export const kindOf = (value: unknown): Kind | undefined => {
  switch (typeof value) {
    case "string":
      return "text"
    case "number":
      return Number.isNaN(value) ? undefined : "number"
    case "boolean":
      return "boolean"
    case "undefined":
      return "absent"
    default:
      if (value === null) return "null"
      return value instanceof Date && !Number.isNaN(value.getTime()) ? "time" : undefined
  }
}

/**
 * Orders two values: absent, `null`, `false`, `true`, numbers by value (`-0` is `0`), dates by time, texts by their
 * UTF-8 bytes. What is compared must have a kind.
 */
export const compareScalars = (a: Scalar, b: Scalar): number => {
  if (typeof a === "string" && typeof b === "string") return compareUtf8(a, b)
  const [kind, other] = [kindOf(a) ?? "absent", kindOf(b) ?? "absent"]
  if (kind !== other || a === undefined || a === null) return rank[kind] - rank[other]
  // Of one kind, and no text: as numbers they have the order that they have.
  const [x, y] = [Number(a), Number(b)]
  return x < y ? -1 : x > y ? 1 : 0
}

/** The value of a state's field; absent where the state is no object. */
export const fieldIn = (state: unknown, field: string): unknown =>
  // Any object may be read by string keys.
  typeof state === "object" && state !== null ? (state as Readonly<Record<string, unknown>>)[field] : undefined
