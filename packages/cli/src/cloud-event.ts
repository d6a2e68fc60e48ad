/**
 * CloudEvents 1.0 in JSON, read as events:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md.
 */
import type { Invalid, Json } from "@persist/core"
import * as Result from "effect/Result"
import { parseTime } from "persist/effect"
import { dataOf, type Described, type JsonObject, lineFault } from "./line-field.ts"

/**
 * Reads a CloudEvent. Its stream is `source/subject`, or `source` where there's no subject; `type`, `time`, `data` (or
 * `data_base64`) and `id` are the event's own. Every other attribute, extensions included, goes to meta under its name,
 * source and subject too, so that nothing is lost.
 */
export const parseCloudEvent = (json: JsonObject): Result.Result<Described, Invalid> => {
  const { data, data_base64: base64, id, source, specversion, subject, time, type, ...others } = json
  if (specversion !== "1.0") {
    return lineFault("specversion", `${JSON.stringify(specversion)} isn't known`, "send CloudEvents 1.0")
  }
  if (!isText(source)) return missing("source")
  if (!isText(type)) return missing("type")
  if (!isText(id)) return missing("id")
  if (subject !== undefined && subject !== null && typeof subject !== "string") {
    return lineFault("subject", "is no text", "write a string, or leave it out")
  }
  for (const [name, value] of Object.entries(others)) {
    if (value !== null && typeof value === "object") {
      return lineFault(name, "is no attribute value", "write a string, number or boolean, or move it into data")
    }
  }
  const at = parseTime("time", time ?? undefined)
  if (Result.isFailure(at)) return Result.fail(at.failure)
  const payload = base64 === undefined ? Result.succeed(data ?? null) : dataOf(data, base64)
  if (Result.isFailure(payload)) return Result.fail(payload.failure)
  return Result.succeed({
    stream: subject ? `${source}/${subject}` : source,
    event: {
      type,
      at: at.success,
      data: payload.success,
      meta: { source, ...(subject ? { subject } : {}), ...present(others) },
      id
    }
  })
}

const isText = (json: Json | undefined): json is string => typeof json === "string" && json !== ""

const missing = (name: string) => lineFault(name, "is missing or no text", "a CloudEvent has id, source and type")

// In CloudEvents an attribute that is null is one that isn't there.
const present = (attributes: JsonObject): { readonly [name: string]: Json } =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== null))
