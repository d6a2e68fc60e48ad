/** A stream's events as a file: one JSON object a line, so that what comes is a line more. */
import type { Payload, StoredEvent } from "@persist/core"
import { Corrupt, type Invalid } from "@persist/core"
import * as Result from "effect/Result"
import { parseTime, timeText } from "../time.ts"
import { metaOf, payloadMember, payloadOf, readObject, textOf, utf8Text, wrong } from "./file-object.ts"
import { compact, jsonFault } from "./json-text.ts"

/** What a file says before its events. */
export interface Heading {
  /** The stream's name, where it doesn't fit into the path. */
  readonly stream: string | undefined
  /** The last of the seqs whose events were removed from the beginning of the stream; 0 where none were. */
  readonly removed: number
}

/** The lines of a file; `Corrupt` where what is stored isn't the JSON that it says it is. */
export const eventLines = (
  { removed, stream }: Heading,
  events: ReadonlyArray<StoredEvent>
): Result.Result<string, Corrupt> => {
  let text = stream === undefined ? "" : `{"stream":${JSON.stringify(stream)}}\n`
  if (removed > 0) text += `{"seq":${removed},"removed":true}\n`
  for (const event of events) {
    const line = lineOf(event)
    if (Result.isFailure(line)) return Result.fail(line.failure)
    text += `${line.success}\n`
  }
  return Result.succeed(text)
}

const lineOf = (event: StoredEvent): Result.Result<string, Corrupt> => {
  const { at, data, id, meta, position, seq, stream, type } = event
  for (const text of [data, meta]) {
    const fault = typeof text === "string" ? jsonFault(text) : undefined
    if (fault !== undefined) {
      return Result.fail(
        new Corrupt({
          where: `stream ${JSON.stringify(stream)}, seq ${seq}`,
          reason: `what is stored ${fault}`,
          remedy: "restore it from a backup"
        })
      )
    }
  }
  const members = [
    `"seq":${seq},"position":${position},"type":${JSON.stringify(type)},"at":${JSON.stringify(timeText(at))}`,
    payloadMember("data", data),
    ...(meta === undefined ? [] : [`"meta":${compact(meta)}`]),
    ...(id === undefined ? [] : [`"id":${JSON.stringify(id)}`])
  ]
  return Result.succeed(`{${members.join()}}`)
}

/** An event as a line says it. */
export interface LineEvent {
  /** Where it stands: the file and the line, from 1. */
  readonly where: string
  readonly seq: number
  /** Its place among the events of all streams; `undefined` where somebody has added it by hand. */
  readonly position: number | undefined
  readonly type: string
  /** `undefined`: when it is imported. */
  readonly at: number | undefined
  readonly data: Payload
  readonly meta: string | undefined
  readonly id: string | undefined
}

/** A file of events as it was read. */
export interface EventsRead extends Heading {
  readonly events: ReadonlyArray<LineEvent>
}

/** Reads a file of events; `Invalid`, naming file and line, where it isn't one. */
export const readEventLines = (path: string, content: Uint8Array): Result.Result<EventsRead, Invalid> => {
  const text = utf8Text(content)
  if (text === undefined) return Result.fail(wrong(path, "is no UTF-8 text", "write it as UTF-8"))
  const read: Reading = { stream: undefined, removed: 0, events: [] }
  for (const [n, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue
    const fault = readLine(`${path}:${n + 1}`, line, read)
    if (fault !== undefined) return Result.fail(fault)
  }
  return Result.succeed(read)
}

/** What has been read so far of a file. */
interface Reading {
  stream: string | undefined
  removed: number
  readonly events: Array<LineEvent>
}

const readLine = (where: string, line: string, read: Reading): Invalid | undefined => {
  const fault = jsonFault(line)
  if (fault !== undefined) return wrong(where, fault.replace(/line 1, /, ""), "mend it")
  const found = readObject(where, line, known)
  if (Result.isFailure(found)) return found.failure
  const isFirst = read.events.length === 0 && read.removed === 0
  if (found.success.has("stream")) {
    const stream = textOf(where, "stream", found.success)
    if (Result.isFailure(stream)) return stream.failure
    if (!isFirst || read.stream !== undefined || found.success.size > 1) {
      return wrong(where, "names the stream, which only a first line by itself does", "remove it")
    }
    read.stream = stream.success
    return undefined
  }
  const seq = counterOf(where, "seq", found.success)
  if (Result.isFailure(seq)) return seq.failure
  if (found.success.has("removed")) return readRemoved(where, seq.success, isFirst, found.success, read)
  const event = readEvent(where, seq.success, found.success)
  if (Result.isFailure(event)) return event.failure
  const last = read.events.at(-1)
  const before = last?.seq ?? (read.removed || undefined)
  if (before !== undefined && seq.success !== before + 1) {
    return wrong(where, `seq ${seq.success} follows seq ${before}`, "put back the line that is missing, or count on")
  }
  if (last !== undefined && (event.success.position ?? Infinity) <= (last.position ?? 0)) {
    return wrong(where, "its position isn't above the one before", "leave the position out of what you add")
  }
  read.events.push(event.success)
  return undefined
}

const known = ["stream", "seq", "removed", "position", "type", "at", "data", "data_base64", "meta", "id"]

const readRemoved = (
  where: string,
  seq: number,
  isFirst: boolean,
  found: ReadonlyMap<string, string>,
  read: Reading
): Invalid | undefined => {
  if (!isFirst || found.get("removed") !== "true" || found.size !== 2) {
    return wrong(
      where,
      "isn't the line of removed events, {\"seq\": …, \"removed\": true}, before all others",
      "mend it"
    )
  }
  read.removed = seq
  return undefined
}

const readEvent = (
  where: string,
  seq: number,
  found: ReadonlyMap<string, string>
): Result.Result<LineEvent, Invalid> =>
  Result.gen(function*() {
    const type = yield* textOf(where, "type", found)
    if (type === undefined) return yield* Result.fail(wrong(where, `"type" is missing`, "name the event's type"))
    const at: unknown = JSON.parse(found.get("at") ?? "null")
    const time = typeof at === "string" || typeof at === "number" ? at : undefined
    if (found.has("at") && time === undefined) {
      return yield* Result.fail(wrong(where, `"at" is no time`, "write ISO 8601, or leave it out for now"))
    }
    return {
      where,
      seq,
      position: found.has("position") ? yield* counterOf(where, "position", found) : undefined,
      type,
      at: yield* parseTime(`${where}: at`, time),
      data: yield* payloadOf(where, "data", found),
      meta: yield* metaOf(where, found),
      id: yield* textOf(where, "id", found)
    }
  })

const counterOf = (
  where: string,
  name: string,
  found: ReadonlyMap<string, string>
): Result.Result<number, Invalid> => {
  const text = found.get(name)
  const value = Number(text ?? Number.NaN)
  return text !== undefined && /^[1-9]\d*$/.test(text) && Number.isSafeInteger(value)
    ? Result.succeed(value)
    : Result.fail(wrong(where, `"${name}" is ${text === undefined ? "missing" : "no whole number from 1"}`, "mend it"))
}
