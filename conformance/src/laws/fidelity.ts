/** Laws of content: what was written is what is read, and neither belongs to the caller's objects. */
import type { BackendShape, NewEvent, Payload } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, present, same } from "../assertion.ts"
import {
  append,
  appendEach,
  changedSince,
  commitOne,
  dataOf,
  event,
  getOne,
  put,
  putEach,
  readAllOf,
  readWhole,
  times
} from "../given.ts"
import { lawOf } from "../law.ts"

const law = lawOf("fidelity")

const texts = [
  "null",
  "{}",
  "[]",
  "\"\"",
  "0",
  "-0",
  "1.0",
  "1e400",
  "12345678901234567890",
  "{\"b\": 1,\n  \"a\" :1.50}",
  "{\"a\":1,\"a\":2}",
  "{\"__proto__\":1}",
  "\"\\ud800 \\u0000 \\/ \u{1f600}\"",
  "\"a\u0000b\u2028\u2029\ufeff\u007f\"",
  "\ufeff{}",
  "\"e\u0301 \u00e9\"",
  "\"it's \\\"quoted\\\"\"",
  `"${"x".repeat(70_000)}"`
]

const bytes = [
  new Uint8Array(256).map((_, n) => n),
  new Uint8Array([0xff, 0xfe, 0x00, 0x80]),
  new Uint8Array([0]),
  new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d])
]

// Writes payloads as events and as values, and reads both back.
const keeps = Effect.fnUntraced(function*(backend: BackendShape, payloads: ReadonlyArray<Payload>) {
  yield* appendEach(backend, "s", payloads)
  yield* putEach(backend, Object.fromEntries(payloads.map((payload, n) => [`k${n}`, payload])))
  yield* equal("data of events", yield* dataOf(backend, "s"), payloads)
  const entries = yield* Effect.forEach(payloads, (_, n) => getOne(backend, `k${n}`))
  yield* equal("values of keys", entries.map((entry) => entry?.value), [...payloads])
})

const eventsOf = Effect.fnUntraced(function*(backend: BackendShape, events: ReadonlyArray<NewEvent>) {
  for (const each of events) yield* commitOne(backend, { append: [{ stream: "s", events: [each] }] })
  return yield* readWhole(backend, "s")
})

// Bytes as Node's Buffer has them: what is sliced off shares its memory with the whole.
class SharingBytes extends Uint8Array {
  override slice(start?: number, end?: number): SharingBytes {
    return new SharingBytes(this.buffer, this.byteOffset + (start ?? 0), (end ?? this.length) - (start ?? 0))
  }
}

const filled = (size: number, from = 0) => `"${String.fromCharCode(97 + from % 26).repeat(size - 2)}"`

/** Laws of payloads, times, metadata and ids. */
export const fidelity = [
  law("text is read as it was written, character for character", [], function*(backend) {
    yield* keeps(backend, texts)
  }),

  law("bytes are read as they were written, byte for byte", ["bytes"], function*(backend) {
    yield* keeps(backend, bytes)
  }),

  law("text stays text and bytes stay bytes, though their content be the same", ["bytes"], function*(backend) {
    const encoder = new TextEncoder()
    yield* keeps(backend, texts.slice(0, 5).flatMap((text) => [text, encoder.encode(text)]))
  }),

  law("an empty text is kept", [], function*(backend) {
    yield* keeps(backend, ["", "1", ""])
  }),

  law("empty bytes are kept", ["bytes"], function*(backend) {
    yield* keeps(backend, [new Uint8Array(0), new Uint8Array([1])])
  }),

  law("a payload of one mebibyte, or of the limit where that is less, is kept", [], function*(backend) {
    const size = Math.min(2 ** 20, backend.about.limits.payloadBytes)
    yield* keeps(backend, [filled(size), filled(size, 1)])
  }),

  law("a payload as large as the limit is kept", [], function*(backend) {
    yield* keeps(backend, [filled(backend.about.limits.payloadBytes)])
  }),

  law("a commit as large as the limit happens whole", ["atomic"], function*(backend) {
    const { commitBytes, payloadBytes } = backend.about.limits
    const count = Math.floor(commitBytes / payloadBytes)
    const { appended } = yield* commitOne(backend, {
      append: [{ stream: "s", events: times(count, (n) => event(filled(payloadBytes, n))) }]
    })
    yield* equal("last seq", Number(appended[0]?.last), count)
    const data = yield* dataOf(backend, "s")
    yield* every("events", data, (each, n) => each.length === payloadBytes && each[1] === filled(3, n)[1])
    yield* equal("number of events", data.length, count)
  }),

  law("an event's time is kept to the millisecond", [], function*(backend) {
    const ats = [0, 1, 999, 1_700_000_000_001, 1_699_999_999_999, 2 ** 31, 2 ** 32 + 1, 253_402_300_799_999]
    const events = yield* eventsOf(backend, ats.map((at) => event("1", { at })))
    yield* equal("times", events.map(({ at }) => at), ats)
  }),

  law("a value's time is kept to the millisecond", [], function*(backend) {
    const ats = [0, 1, 999, 1_700_000_000_001, 2 ** 31, 2 ** 32 + 1, 253_402_300_799_999]
    for (const at of ats) yield* commitOne(backend, { at, write: [put(`${at}`, "1")] })
    const entries = yield* Effect.forEach(ats, (at) => getOne(backend, `${at}`))
    yield* equal("times", entries.map((entry) => entry?.at), ats)
  }),

  law("an event's metadata is kept, and none is not the same as empty", ["meta"], function*(backend) {
    const metas = [undefined, "{}", "null", "\"\"", "{\"a\": \"\u00e9\u0000\"}", undefined]
    const events = yield* eventsOf(backend, metas.map((meta) => event("1", { meta })))
    yield* equal("metadata", events.map(({ meta }) => meta ?? "none"), metas.map((meta) => meta ?? "none"))
  }),

  law("a value's metadata is kept, and none is not the same as empty", ["meta"], function*(backend) {
    const metas = [undefined, "{}", "null", "\"\"", "{\"a\": \"\u00e9\u0000\"}"]
    for (const [n, meta] of metas.entries()) yield* commitOne(backend, { write: [put(`k${n}`, "1", { meta })] })
    const entries = yield* Effect.forEach(metas, (_, n) => getOne(backend, `k${n}`))
    yield* equal("metadata", entries.map((entry) => entry?.meta ?? "none"), metas.map((meta) => meta ?? "none"))
  }),

  law("an event's id is carried, may be missing and may come again", [], function*(backend) {
    const ids = ["id", undefined, "id", "ID", "", "\u0000", undefined]
    const events = yield* eventsOf(backend, ids.map((id) => event("1", { id })))
    yield* equal("ids", events.map(({ id }) => id ?? "none"), ids.map((id) => id ?? "none"))
    yield* commitOne(backend, { append: [{ stream: "t", events: [event("1", { id: "id" })] }] })
    yield* equal("id in another stream", (yield* readWhole(backend, "t"))[0]?.id, "id")
  }),

  law("each event of a commit keeps its own type, time and content", ["atomic"], function*(backend) {
    const events = times(
      20,
      (n) => event(`${n}`, { type: `T${n % 3}`, at: 1000 - n, id: n % 2 === 0 ? `${n}` : undefined })
    )
    yield* commitOne(backend, { append: [{ stream: "s", events }] })
    const read = yield* readWhole(backend, "s")
    yield* equal("number of events", read.length, 20)
    yield* every("events", read, ({ at, data, id, type }, n) => {
      const own = events[n]
      return own !== undefined && same([at, data, id, type], [own.at, own.data, own.id, own.type])
    })
  }),

  law("what a caller does to an event's bytes after the commit doesn't reach the store", ["bytes"], function*(backend) {
    const data = new Uint8Array([1, 2, 3])
    yield* appendEach(backend, "s", [data])
    data.fill(9)
    yield* equal("data", yield* dataOf(backend, "s"), [new Uint8Array([1, 2, 3])])
  }),

  law("what a caller does to a value's bytes after the commit doesn't reach the store", ["bytes"], function*(backend) {
    const value = new Uint8Array([1, 2, 3])
    yield* putEach(backend, { k: value })
    value.fill(9)
    yield* equal("value", (yield* getOne(backend, "k"))?.value, new Uint8Array([1, 2, 3]))
  }),

  law("bytes of a class of the caller's are copied, and come back as plain ones", ["bytes"], function*(backend) {
    const given = [new SharingBytes([1, 2, 3]), new SharingBytes([1, 2, 3])]
    yield* appendEach(backend, "s", given.slice(0, 1))
    yield* commitOne(backend, { write: given.slice(1).map((value) => put("k", value)) })
    for (const each of given) each.fill(9)
    const read = [...yield* dataOf(backend, "s"), (yield* getOne(backend, "k"))?.value]
    yield* equal("bytes", read, [new Uint8Array([1, 2, 3]), new Uint8Array([1, 2, 3])])
    yield* every(
      "plain and all that their buffers hold",
      read,
      (own) => own instanceof Uint8Array && own.constructor === Uint8Array && own.buffer.byteLength === own.byteLength
    )
  }),

  law("what a caller does to an event it read doesn't reach the store", ["bytes"], function*(backend) {
    yield* appendEach(backend, "s", [new Uint8Array([1, 2, 3])])
    const all = backend.about.lacks.has("readAll") ? [] : yield* readAllOf(backend)
    for (const read of [...yield* readWhole(backend, "s"), ...all]) {
      if (typeof read.data !== "string") read.data.fill(9)
      Object.assign(read, { type: "changed", stream: "changed" })
    }
    const [again] = yield* readWhole(backend, "s")
    yield* equal("event", [again?.stream, again?.type, again?.data], ["s", "T", new Uint8Array([1, 2, 3])])
  }),

  law("what a caller does to an entry it read doesn't reach the store", ["bytes"], function*(backend) {
    yield* putEach(backend, { k: new Uint8Array([1, 2, 3]) })
    const { lacks } = backend.about
    const scanned = lacks.has("scan") ? [] : yield* backend.scan({
      namespace: "n",
      gte: undefined,
      lt: undefined,
      limit: 10,
      reverse: false
    })
    const since = lacks.has("changed") ? [] : yield* changedSince(backend)
    const got = yield* present("entry", yield* getOne(backend, "k"))
    for (const read of [got, ...scanned, ...since]) {
      if (read._tag === "Entry" && typeof read.value !== "string") read.value.fill(9)
      Object.assign(read, { key: "changed", namespace: "changed" })
    }
    const again = yield* getOne(backend, "k")
    yield* equal("entry", [again?.namespace, again?.key, again?.value], ["n", "k", new Uint8Array([1, 2, 3])])
  }),

  law(
    "what a caller does to its list of events after the commit doesn't reach the store",
    ["atomic"],
    function*(backend) {
      const events: [NewEvent, ...Array<NewEvent>] = [event("1"), event("2")]
      const appends = [append("t", "1"), { stream: "s", events }]
      yield* commitOne(backend, { append: appends })
      events.length = 1
      Object.assign(events[0], { data: "changed", type: "changed" })
      appends.length = 0
      const read = yield* readWhole(backend, "s")
      yield* equal("events", read.map(({ data, type }) => [data, type]), [["1", "T"], ["2", "T"]])
    }
  )
]
