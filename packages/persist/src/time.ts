/** Times as people and files write them, and as the store keeps them: milliseconds since 1970. */
import type { Json } from "@persist/core"
import { Invalid } from "@persist/core"
import * as Result from "effect/Result"

// RFC 3339, with the six-digit years that JavaScript writes far from ours, and seconds that may be left out.
const isoText = /^(\d{4}|[+-]\d{6})-\d\d-\d\d([Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:?\d\d))?$/

/**
 * Reads a time: ISO 8601 text with its zone, a date (its midnight in UTC), or whole milliseconds since 1970.
 * `undefined` stays undefined; what is finer than a millisecond is cut off. `Invalid`, naming `field`, for all else.
 */
export const parseTime = (field: string, time: Json | undefined): Result.Result<number | undefined, Invalid> => {
  if (time === undefined) return Result.succeed(undefined)
  const at = typeof time === "number" ? time : typeof time === "string" ? fromText(time) : Number.NaN
  if (Number.isSafeInteger(at)) return Result.succeed(at)
  const shown = typeof time === "string" || typeof time === "number" ? JSON.stringify(time) : `a ${typeof time}`
  return Result.fail(
    new Invalid({
      field,
      reason: `${shown.length > 64 ? "it" : shown} is no time`,
      remedy: "write ISO 8601 with its zone, such as 2026-01-31T12:00:00Z, or milliseconds since 1970"
    })
  )
}

const fromText = (text: string): number =>
  isoText.test(text) ? Date.parse(text.toUpperCase().replace(" ", "T").replace(",", ".")) : Number.NaN

// Beyond it JavaScript has no dates.
const furthest = 8.64e15

/** A time as ISO 8601 text; as the number it is where it lies beyond what dates can say. */
export const timeText = (at: number): string | number => Math.abs(at) <= furthest ? new Date(at).toISOString() : at
