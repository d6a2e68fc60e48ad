/** Mutants that change what they keep. */
import type { Commit, NewEvent, Payload } from "@persist/core"
import { LimitExceeded, payloadBytes } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { commits, entries, events } from "../altered.ts"
import { type Mutant, mutant, placeMutant } from "../mutant.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const withEvents = (commit: Commit, alter: (event: NewEvent) => NewEvent): Commit => ({
  ...commit,
  append: commit.append.map((append) => ({ ...append, events: NonEmpty.map(append.events, alter) }))
})

// A mutant that keeps other payloads than it was given.
const keeps = (
  name: string,
  bug: string,
  alter: (payload: Payload) => Payload,
  breaks: ReadonlyArray<string>
): Mutant =>
  mutant(name, bug, (backend) =>
    commits(backend, (commit) => ({
      ...withEvents(commit, (event) => ({ ...event, data: alter(event.data) })),
      write: commit.write.map((op) => op._tag === "Put" ? { ...op, value: alter(op.value) } : op)
    })), breaks)

const reformatted = (payload: Payload): Payload =>
  typeof payload === "string"
    ? Result.getOrElse(Result.try(() => JSON.stringify(JSON.parse(payload))), () => payload)
    : payload

const asText = (payload: Payload): Payload =>
  typeof payload === "string" ? payload : Result.getOrElse(Result.try(() => decoder.decode(payload)), () => payload)

const pooled = (payload: Payload): Payload => {
  if (typeof payload === "string") return payload
  const pool = new Uint8Array(payload.byteLength + 8)
  pool.set(payload, 4)
  return pool.subarray(4, 4 + payload.byteLength)
}

const seconds = (at: number) => Math.floor(at / 1000) * 1000

/** Broken in payloads, times, metadata and ids. */
export const fidelity = [
  keeps("JSON anew", "keeps text as JSON.parse and JSON.stringify make it", reformatted, [
    "text is read as it was written, character for character"
  ]),

  keeps(
    "text to the NUL",
    "keeps text to the first NUL",
    (payload) => typeof payload === "string" ? payload.split("\u0000")[0] ?? "" : payload,
    [
      "text is read as it was written, character for character"
    ]
  ),

  keeps(
    "bytes as text",
    "keeps bytes as the text that they are in UTF-8",
    (payload) => typeof payload === "string" ? payload : encoder.encode(new TextDecoder().decode(payload)),
    [
      "bytes are read as they were written, byte for byte"
    ]
  ),

  keeps("text where it can", "keeps bytes that are valid UTF-8 as text", asText, [
    "bytes are read as they were written, byte for byte",
    "text stays text and bytes stay bytes, though their content be the same",
    "empty bytes are kept",
    "what a caller does to an event's bytes after the commit doesn't reach the store",
    "what a caller does to a value's bytes after the commit doesn't reach the store",
    "bytes of a class of the caller's are copied, and come back as plain ones",
    "what a caller does to an event it read doesn't reach the store",
    "what a caller does to an entry it read doesn't reach the store"
  ]),

  keeps("empty means null", "keeps an empty text as null", (payload) => payload === "" ? "null" : payload, [
    "an empty text is kept"
  ]),

  keeps("empty bytes are text", "keeps empty bytes as empty text", (payload) => payload.length === 0 ? "" : payload, [
    "empty bytes are kept"
  ]),

  keeps("a megabyte", "keeps a million characters of a payload", (payload) => payload.slice(0, 1_000_000), [
    "a payload of one mebibyte, or of the limit where that is less, is kept",
    "a payload as large as the limit is kept",
    "a commit as large as the limit happens whole",
    "bytes of a class of the caller's are copied, and come back as plain ones"
  ]),

  keeps("a mebibyte", "keeps 2^20 characters of a payload", (payload) => payload.slice(0, 2 ** 20), [
    "a payload as large as the limit is kept",
    "a commit as large as the limit happens whole",
    "bytes of a class of the caller's are copied, and come back as plain ones"
  ]),

  mutant("a smaller limit than declared", "refuses a commit that is larger than the largest payload", (backend) => ({
    commit: (batch) => {
      const limit = backend.about.limits.payloadBytes
      const actual = batch.flatMap(({ append }) => append).flatMap((append) => append.events)
        .reduce((sum, { data }) => sum + payloadBytes(data), 0)
      return actual <= limit ? backend.commit(batch) : Effect.fail(
        new LimitExceeded({ field: "commit", limit, actual, unit: "bytes", remedy: "split it" })
      )
    }
  }), [
    "a commit as large as the limit happens whole"
  ]),

  mutant(
    "events to the second",
    "keeps the time of an event to the second",
    (backend) => events(backend, (event) => ({ ...event, at: seconds(event.at) })),
    [
      "an event's time is kept to the millisecond",
      "each event of a commit keeps its own type, time and content"
    ]
  ),

  mutant(
    "values to the second",
    "keeps the time of a value to the second",
    (backend) => entries(backend, (entry) => ({ ...entry, at: seconds(entry.at) })),
    [
      "a key's entry is what was put, when, and at which position",
      "an entry's time is that of its last write",
      "a value's time is kept to the millisecond"
    ]
  ),

  mutant(
    "no metadata means empty",
    "gives an event without metadata an empty object",
    (backend) => events(backend, (event) => ({ ...event, meta: event.meta ?? "{}" })),
    [
      "an event's metadata is kept, and none is not the same as empty"
    ]
  ),

  mutant(
    "empty means no metadata",
    "takes an event's empty metadata for none",
    (backend) => events(backend, (event) => ({ ...event, meta: event.meta === "{}" ? undefined : event.meta })),
    [
      "an event's metadata is kept, and none is not the same as empty"
    ]
  ),

  mutant(
    "empty means no metadata of a value",
    "takes a value's empty metadata for none",
    (backend) => entries(backend, (entry) => ({ ...entry, meta: entry.meta === "{}" ? undefined : entry.meta })),
    [
      "a value's metadata is kept, and none is not the same as empty"
    ]
  ),

  mutant(
    "empty means no id",
    "takes an event's empty id for none",
    (backend) => events(backend, (event) => ({ ...event, id: event.id === "" ? undefined : event.id })),
    [
      "an event's id is carried, may be missing and may come again"
    ]
  ),

  placeMutant("each id once", "keeps an event's id only the first time it comes", () => {
    const seen = new Set<string>()
    return (backend) =>
      commits(backend, (commit) =>
        withEvents(commit, (event) => {
          const isNew = event.id === undefined || !seen.has(event.id)
          if (event.id !== undefined) seen.add(event.id)
          return isNew ? event : { ...event, id: undefined }
        }))
  }, [
    "an event's id is carried, may be missing and may come again"
  ]),

  mutant(
    "one type for all",
    "gives all events of an append the type of the first",
    (backend) =>
      commits(backend, (commit) => ({
        ...commit,
        append: commit.append.map((append) => ({
          ...append,
          events: NonEmpty.map(append.events, (event) => ({ ...event, type: append.events[0].type }))
        }))
      })),
    [
      "each event of a commit keeps its own type, time and content"
    ]
  ),

  mutant(
    "views of a pool",
    "gives bytes as a view of a larger buffer",
    (backend) => entries(backend, (entry) => ({ ...entry, value: pooled(entry.value) })),
    [
      "bytes of a class of the caller's are copied, and come back as plain ones"
    ]
  )
]
