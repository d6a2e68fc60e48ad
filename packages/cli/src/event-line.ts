/** An event as one line of JSON: how lines of a file become events, and events lines. */
import type { About, Event, Invalid, Json } from "@persist/core"
import { anyEvents, LimitExceeded, nameFault, payloadBytes } from "@persist/core"
import * as Result from "effect/Result"
import { parseTime, timeText } from "persist/effect"
import { parseCloudEvent } from "./cloud-event.ts"
import { parseExactJson } from "./exact-json.ts"
import { dataOf, type Described, isObject, type JsonObject, lineFault } from "./line-field.ts"

/** An event that a line describes and that a store takes. */
export interface LineEvent extends Described {
  /** Size of its payloads, as the limits count it. */
  readonly bytes: number
}

/** Why a line is no event. */
export type LineFault = Invalid | LimitExceeded

const fields = new Set(["stream", "type", "at", "data", "data_base64", "meta", "id", "seq", "position"])

/**
 * Reads one line, `{stream, type, at, data, meta?, id?}` or a CloudEvent 1.0 in JSON, and makes sure that a store like
 * this takes it. Without a time the event gets that of its commit; `seq` and `position` are the store's to give.
 */
export const parseEventLine = (about: Pick<About, "limits">, text: string): Result.Result<LineEvent, LineFault> =>
  Result.flatMap(parseExactJson("line", text), (json) => {
    if (!isObject(json)) {
      return lineFault("line", "is no JSON object", "write one event a line: {\"stream\", \"type\", \"at\", \"data\"}")
    }
    const described = "specversion" in json ? parseCloudEvent(json) : parseOwn(json)
    return Result.flatMap(described, (one) => accept(about, one))
  })

const parseOwn = (json: JsonObject): Result.Result<Described, Invalid> => {
  for (const name in json) {
    if (!fields.has(name)) return lineFault(name, "is no field of an event", "move it into data or meta")
  }
  const { at, data_base64: base64, id, meta, stream, type } = json
  if (typeof stream !== "string") return lineFault("stream", kindOf(stream), "name the event's stream")
  if (typeof type !== "string") return lineFault("type", kindOf(type), "name the event's type")
  if (id !== undefined && typeof id !== "string") return lineFault("id", kindOf(id), "write a string, or leave it out")
  const time = parseTime("at", at)
  if (Result.isFailure(time)) return Result.fail(time.failure)
  const data = dataOf(json.data, base64)
  if (Result.isFailure(data)) return Result.fail(data.failure)
  if (meta !== undefined && !isObject(meta)) {
    return lineFault("meta", "is no object", "write an object, or leave it out")
  }
  return Result.succeed({ stream, event: { type, at: time.success, data: data.success, meta, id } })
}

const kindOf = (json: Json | undefined): string =>
  json === undefined ? "is missing" : `expected a string, got ${json === null ? "null" : typeof json}`

/** Makes sure that a store takes an event, so that what is committed later can't be refused halfway. */
const accept = (
  { limits }: Pick<About, "limits">,
  { event, stream }: Described
): Result.Result<LineEvent, LineFault> => {
  const name = nameFault("stream", stream, limits.nameBytes) ?? nameFault("type", event.type, limits.nameBytes) ??
    (event.id === undefined ? undefined : nameFault("id", event.id, limits.nameBytes))
  if (name !== undefined) return Result.fail(name)
  const encoded = anyEvents.encode("event", event)
  if (Result.isFailure(encoded)) {
    const { field, reason, remedy } = encoded.failure
    return lineFault(field.replace(/^event\./, ""), reason, remedy)
  }
  const { data, meta } = encoded.success
  const sizes = [["data", payloadBytes(data)], ["meta", payloadBytes(meta ?? "")]] as const
  for (const [field, actual] of sizes) {
    if (actual <= limits.payloadBytes) continue
    const remedy = "keep large values in a blob store, and their address here"
    return Result.fail(new LimitExceeded({ field, limit: limits.payloadBytes, actual, unit: "bytes", remedy }))
  }
  return Result.succeed({ stream, event, bytes: sizes[0][1] + sizes[1][1] })
}

type AnyEvent = Event<string, unknown>

/** An event as JSON, with everything the store says of it. */
export const eventJson = (event: AnyEvent): { readonly [name: string]: unknown } => {
  const { position, seq, stream, type } = event
  return { stream, seq, position, type, ...carried(event) }
}

/** An event as a line of an export, which import reads back; the store's own counters are left out. */
export const exportLine = (event: AnyEvent): string =>
  JSON.stringify({ stream: event.stream, type: event.type, ...carried(event) })

const carried = ({ at, data, id, meta }: AnyEvent): { readonly [name: string]: unknown } => ({
  at: timeText(at),
  ...dataJson("data", data),
  ...(meta === undefined ? {} : { meta }),
  ...(id === undefined ? {} : { id })
})

/** A payload as a member of a JSON object: bytes under another name, as base64. */
export const dataJson = (name: string, data: unknown): { readonly [name: string]: unknown } =>
  data instanceof Uint8Array ? { [`${name}_base64`]: Buffer.from(data).toString("base64") } : { [name]: data }
