/** Reads JSON that is to be written again unchanged: whole numbers that would change on the way are refused. */
import type { Json } from "@persist/core"
import { Invalid } from "@persist/core"
import * as Result from "effect/Result"

/**
 * Parses JSON text. `Invalid`, naming `field`, for what is no JSON, and for a whole number that a double can't hold:
 * it would be stored as another one. Nothing of the text is repeated but the number.
 */
export const parseExactJson = (field: string, text: string): Result.Result<Json, Invalid> => {
  const parsed = Result.try({
    try: (): Json => JSON.parse(text),
    catch: (cause) => new Invalid({ field, reason: notJson(cause), remedy: "write JSON" })
  })
  // Shorter numbers are exact; looking for long ones first keeps the reviver off nearly every line.
  if (Result.isFailure(parsed) || !/\d{16}/.test(text)) return parsed
  const rounded = findRounded(text)
  if (rounded === undefined) return parsed
  const reason = `the number ${rounded} would lose its last digits`
  return Result.fail(new Invalid({ field, reason, remedy: "write it as a string" }))
}

const notJson = (cause: unknown): string => {
  const place = cause instanceof Error ? /position (\d+)/.exec(cause.message)?.[1] : undefined
  return place === undefined ? "is no JSON" : `is no JSON from column ${Number(place) + 1} on`
}

const findRounded = (text: string): string | undefined => {
  let found: string | undefined
  JSON.parse(text, (_, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source
    const changed = typeof value === "number" && source !== undefined && String(value) !== source
    if (changed && /^-?\d{16,}$/.test(source)) found ??= source
    return value
  })
  return found
}
