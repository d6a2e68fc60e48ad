/** Laws of a store's log: streams read in ranges, both ways, and what their ends tell. */
import type { AllRange, Page, StoredEvent, StreamRange } from "@persist/core"
import { Position, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { equal, holds, present } from "../assertion.ts"
import { noted } from "../gate.ts"
import { allData, count, dataOf, done, failing, fill, fillLong, input, lost } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store log")

/** Laws of streams. */
export const storeLog = [
  law("an event is read back as it was appended, with its place", ["meta", "readAll"], function*(store) {
    const given = [
      { type: "A", data: { n: 1, list: [null, "é", { deep: true }] }, at: 5, meta: { who: "me" }, id: "e1" },
      { type: "B", data: "text", at: -7 },
      { type: "A", data: null, at: 0, id: "e1" }
    ]
    const log = store.log()
    const told = yield* Effect.forEach(given, (each) => done(log.append("s", each, { expected: "any" })))
    const expected = given.map(({ at, data, id, meta, type }, n) => ({
      stream: "s",
      seq: told[n]?.first,
      position: told[n]?.firstPosition,
      type,
      at,
      data,
      meta,
      id
    }))
    yield* equal<unknown>("the stream", yield* Stream.runCollect(log.read("s")), expected)
    yield* equal<unknown>("all streams", yield* Stream.runCollect(log.readAll()), expected)
  }),

  law("a range of a stream is that part of it, whichever way it is read", [], function*(store) {
    const all = count(6)
    yield* fill(store, "s", all)
    yield* fill(store, "t", ["other"])
    for (const from of [undefined, 0, 1, 3, 6, 7]) {
      for (const to of [undefined, 0, 1, 4, 6, 9]) {
        for (const limit of [undefined, 1, 2, 6, 20]) {
          const part = all.filter((seq) => seq >= (from ?? 1) && seq <= (to ?? 6))
          const range = { from, to, limit }
          const what = `from ${from} to ${to}, at most ${limit}`
          yield* equal(what, yield* dataOf(store, "s", range), part.slice(0, limit))
          const back = yield* dataOf(store, "s", { ...range, reverse: true })
          yield* equal(`${what}, in reverse`, back, part.toReversed().slice(0, limit))
        }
      }
    }
  }),

  law("whoever takes the first events of a long stream reads one page of it", [], function*(store, { over }) {
    yield* fillLong(store, "s", count(1020))
    let asked: ReturnType<typeof noted>["asked"] = []
    const watched = yield* over((backend) => {
      const notes = noted(backend)
      asked = notes.asked
      return notes.backend
    })
    const first = yield* Stream.runCollect(Stream.take(watched.log().read("s"), 3))
    yield* equal("the events", first.map(({ data }) => data), [1, 2, 3])
    yield* equal("pages that were read", asked.length, 1)
    const few = yield* Stream.runCollect(watched.log().read("s", { limit: 3, reverse: true }))
    yield* equal("the last events", few.map(({ data }) => data), [1020, 1019, 1018])
    yield* equal("events that were read for three", asked.slice(1).map(({ gave }) => gave), [3])
  }),

  law("a stream's last seq is told, and 0 where nothing was ever appended", ["streams"], function*(store) {
    const log = store.log()
    yield* fill(store, "stream", count(3))
    yield* fill(store, "str", [1])
    for (const [stream, last] of [["stream", 3], ["str", 1], ["strea", 0], ["s", 0], ["stream2", 0]] as const) {
      yield* equal(stream, Number(yield* log.lastSeq(stream)), last)
      const info = yield* log.info(stream)
      yield* equal(
        `info of ${stream}`,
        info && [info.stream, Number(info.first), Number(info.last)],
        last === 0
          ? undefined
          : [stream, 1, last]
      )
    }
  }),

  law("a truncated stream begins where it was cut, and numbers on", ["truncate", "streams"], function*(store) {
    const log = store.log()
    yield* fill(store, "s", count(5))
    yield* fill(store, "s2", count(5))
    yield* log.truncate("s", 4)
    yield* equal("data", yield* dataOf(store, "s"), [4, 5])
    yield* equal("data in reverse", yield* dataOf(store, "s", { reverse: true }), [5, 4])
    yield* equal("the stream beside it", yield* dataOf(store, "s2"), count(5))
    const info = yield* present("info", yield* log.info("s"))
    yield* equal("what is left", [info.first, info.last].map(Number), [4, 5])
    yield* equal("the next seq", Number((yield* done(log.append("s", input(6), { expected: 5 }))).first), 6)
    yield* log.truncate("s", 2)
    yield* equal("data after cutting where nothing is", yield* dataOf(store, "s"), [4, 5, 6])
  }),

  law("a deleted stream is empty, and numbers on", ["truncate", "streams"], function*(store) {
    const log = store.log()
    yield* fill(store, "s", count(3))
    yield* equal("actual seq", (yield* lost(log.delete("s", { expected: 2 }))).actual, 3)
    yield* equal("data after a delete that conflicts", yield* dataOf(store, "s"), count(3))
    yield* done(log.delete("s", { expected: 3 }))
    yield* equal("data", yield* dataOf(store, "s"), [])
    yield* equal("last seq", Number(yield* log.lastSeq("s")), 3)
    yield* lost(log.append("s", input("no"), { expected: 0 }))
    yield* done(log.append("s", input(4), { expected: 3 }))
    yield* equal("data after an append", yield* dataOf(store, "s"), [4])
  }),

  law("an append is held to what it expects: a new stream, one that exists, a seq, or anything", [], function*(store) {
    const log = store.log()
    const append = (stream: string, expected: number | "any" | "exists") =>
      Effect.map(log.append(stream, input(0), { expected }), ({ _tag }) => _tag === "Committed")
    const tries = [
      ...[["s", "exists", false], ["s", 1, false], ["s", 0, true], ["s", 0, false], ["s", 2, false]] as const,
      ...[["s", 1, true], ["s", 1, false], ["s", "exists", true], ["s", "any", true], ["t", "any", true]] as const
    ]
    for (const [stream, expected, happens] of tries) {
      yield* equal(`expecting ${expected} of ${stream}`, yield* append(stream, expected), happens)
    }
    yield* equal("number of events", (yield* dataOf(store, "s")).length, 4)
  }),

  law("whoever lost a race is told the seq that is there, and given the events it missed", [], function*(store) {
    const log = store.log()
    yield* fill(store, "s", count(4))
    yield* fill(store, "t", [9])
    for (const expected of [0, 1, 3]) {
      const conflict = yield* lost(log.append("s", input("late"), { expected }))
      yield* equal("actual", conflict.actual, 4)
      const missed = yield* Stream.runCollect(log.missing(conflict))
      yield* equal(
        `what was missed since ${expected}`,
        missed.map(({ seq }) => Number(seq)),
        count(4 - expected, expected + 1)
      )
    }
    const ahead = yield* lost(log.append("s", input("early"), { expected: 9 }))
    yield* equal("what was missed by one who expected more", yield* Stream.runCollect(log.missing(ahead)), [])
  }),

  law("a hole in a stream is told as Corrupt, and not passed over", [], function*(store, { over }) {
    yield* fill(store, "s", count(5))
    yield* fill(store, "t", count(5))
    const holed = yield* over((backend) => ({
      ...backend,
      readStream: (range) =>
        Effect.map(
          backend.readStream(range),
          (events) => events.filter(({ seq, stream }) => stream !== "s" || seq !== 3)
        )
    }))
    yield* failing("forwards", dataOf(holed, "s"), "Corrupt", `stream "s"`)
    yield* failing("in reverse", dataOf(holed, "s", { reverse: true }), "Corrupt", `stream "s"`)
    yield* equal("what doesn't reach it", yield* dataOf(holed, "s", { from: 4 }), [4, 5])
    yield* equal("the stream beside it", yield* dataOf(holed, "t"), count(5))
  }),

  law("a page of a stream that doesn't go on where the one before ended is told as Corrupt", ["streams"], function*(
    store,
    { over }
  ) {
    const long = 1005
    yield* fillLong(store, "s", count(long))
    const pagesOf = (change: (range: StreamRange) => StreamRange) =>
      over((backend) => ({
        ...backend,
        readStream: (range) => backend.readStream(range.from === 1 && range.to > long ? range : change(range))
      }))
    const skipping = yield* pagesOf((range) =>
      range.reverse ? { ...range, to: Seq(range.to - 1) } : { ...range, from: Seq(range.from + 1) }
    )
    yield* failing("what is missing between two pages", dataOf(skipping, "s"), "Corrupt", `stream "s"`)
    yield* failing("in reverse", dataOf(skipping, "s", { reverse: true }), "Corrupt", `stream "s"`)
    const repeating = yield* pagesOf((range) =>
      range.reverse ? { ...range, to: Seq(range.to + 1) } : { ...range, from: Seq(range.from - 1) }
    )
    yield* failing("what comes twice", dataOf(repeating, "s"), "Corrupt", `stream "s"`)
    yield* failing("in reverse", dataOf(repeating, "s", { reverse: true }), "Corrupt", `stream "s"`)
    const falling = yield* over((backend) => ({
      ...backend,
      readStream: (range) =>
        Effect.map(
          backend.readStream(range),
          (events) =>
            range.from === 1 ? events : events.map((event) => ({ ...event, position: Position(event.seq - 1000) }))
        )
    }))
    yield* failing("what comes with lower positions", dataOf(falling, "s"), "Corrupt", `stream "s"`)
  }),

  law("a stream that is truncated while it is read goes on behind the gap", ["truncate", "streams"], function*(
    store,
    { over }
  ) {
    const long = 1005
    yield* fillLong(store, "s", count(long))
    let before = 0
    const cut = yield* over((backend) => ({
      ...backend,
      readStream: (range) =>
        range.from === 1
          ? Effect.tap(backend.readStream(range), (page) => {
            before = page.length
            return Effect.orDie(store.log().truncate("s", 1003))
          })
          : backend.readStream(range)
    }))
    yield* equal("read around the gap", yield* dataOf(cut, "s"), [...count(before), 1003, 1004, 1005])
  }),

  law("events of all streams that come out of their order are told as Corrupt", ["readAll"], function*(
    store,
    { over }
  ) {
    yield* fill(store, "s", count(3))
    yield* fill(store, "t", count(3))
    const altered = (change: (page: Page<StoredEvent>, range: AllRange) => Page<StoredEvent>) =>
      over((backend) => ({
        ...backend,
        readAll: (range) => Effect.map(backend.readAll(range), (page) => change(page, range))
      }))
    const doubled = yield* altered((page) => ({ ...page, items: page.items.flatMap((event) => [event, event]) }))
    yield* failing("what comes twice", allData(doubled), "Corrupt", "stream")
    const reverse = Stream.runDrain(doubled.log().readAll({ reverse: true }))
    yield* failing("in reverse", reverse, "Corrupt", "stream")
    // Half a page that says so, and then the whole page.
    const again = yield* over((backend) => ({
      ...backend,
      readAll: (range) =>
        range.after === 0
          ? backend.readAll({ ...range, limit: 2 })
          : backend.readAll({ ...range, after: Position(0) })
    }))
    yield* failing("what was read on the page before", allData(again), "Corrupt", "stream")
    const shy = yield* altered((page, { after }) => ({ ...page, through: after }))
    yield* failing("a page that says it looked less far", allData(shy), "Corrupt", "stream")
  }),

  law("nothing in the log is the caller's own object, nor the reader's", ["bytes"], function*(store) {
    const log = store.log()
    const data = { list: [1], bytes: "x" }
    const bytes = new Uint8Array([1, 2])
    const appended = yield* Effect.forkChild(
      Effect.all([
        log.append("s", { type: "T", data }, { expected: "any" }),
        log.append("s", { type: "T", data: bytes }, { expected: "any" })
      ], { concurrency: "unbounded" }),
      { startImmediately: true }
    )
    // The calls have been made, so what happens to their arguments now comes too late.
    data.list.push(2)
    bytes[0] = 9
    yield* Fiber.join(appended)
    const expected = [{ list: [1], bytes: "x" }, new Uint8Array([1, 2])]
    const first = yield* dataOf(store, "s")
    yield* equal("data after its caller changed it", first, expected)
    for (const each of first) if (each instanceof Uint8Array) each.fill(7)
    const [object] = first
    if (typeof object === "object" && object !== null) Object.assign(object, { list: "gone" })
    yield* equal("data after a reader changed it", yield* dataOf(store, "s"), expected)
    yield* holds(first.length === 2, "there was nothing to change")
  })
]
