/** What the kinds of lines have in common: their data, and how a fault of a field is named. */
import type { EventInput, Json } from "@persist/core"
import { Invalid } from "@persist/core"
import * as Result from "effect/Result"

/** A JSON object as it was parsed. */
export interface JsonObject {
  readonly [name: string]: Json
}

/** What a line says, before it is checked against the limits of a store. */
export interface Described {
  readonly stream: string
  readonly event: EventInput<string, Json | Uint8Array>
}

/** Whether a JSON value is an object. */
export const isObject = (json: Json): json is JsonObject =>
  json !== null && typeof json === "object" && !Array.isArray(json)

/** A fault of a line's field. */
export const lineFault = (field: string, reason: string, remedy: string): Result.Result<never, Invalid> =>
  Result.fail(new Invalid({ field, reason, remedy }))

const base64Text = /^[A-Za-z0-9+/]*={0,2}$/

/** The data of a line, of which exactly one form is given. */
export const dataOf = (
  data: Json | undefined,
  base64: Json | undefined
): Result.Result<Json | Uint8Array, Invalid> => {
  if (base64 === undefined) {
    return data === undefined ? lineFault("data", "is missing", "write null where there is none") : Result.succeed(data)
  }
  if (data !== undefined) return lineFault("data_base64", "is given beside data", "write one of the two")
  if (typeof base64 !== "string" || base64.length % 4 !== 0 || !base64Text.test(base64)) {
    return lineFault("data_base64", "is no base64 text", "encode the bytes as base64 with its padding")
  }
  return Result.succeed(new Uint8Array(Buffer.from(base64, "base64")))
}
