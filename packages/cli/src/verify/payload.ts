/** Verifies one payload: JSON text that parses, or bytes. */
import type { Payload } from "@persist/core"
import { parseJson } from "@persist/core"
import * as Result from "effect/Result"

/** What's wrong with a payload; `undefined` where nothing is. Metadata must be an object. */
export const payloadFault = (field: "data" | "value" | "meta", payload: Payload | undefined): string | undefined => {
  if (typeof payload !== "string") return undefined
  const parsed = parseJson(field, payload)
  if (Result.isFailure(parsed)) return `its ${field} is no JSON text`
  const json = parsed.success
  return field === "meta" && (json === null || typeof json !== "object" || Array.isArray(json))
    ? "its meta is no object"
    : undefined
}
