/** A store over six functions: what one call can do is done whole, the rest is refused, and nothing is pretended. */
import type { SixFunctions } from "@persist/backend-minimal"
import { decide, Decider, load, project, Projection, saveSnapshot, type StoreShape, Unsupported } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { describe, expect, it } from "vitest"
import { atOnce, later } from "./functions.ts"
import { added, using } from "./store.ts"

describe("a store over six functions", () => {
  it("appends, expects, conflicts and reads", () =>
    using(
      later(),
      Effect.fnUntraced(function*(store) {
        const log = store.log()
        expect(yield* log.append("s", added(1), { expected: 0 })).toMatchObject({ first: 1, last: 1, position: 1 })
        expect(yield* log.append("s", added(2), { expected: 1 })).toMatchObject({ first: 2, position: 2 })
        const conflict = yield* log.append("s", added(3), { expected: 1 })
        if (conflict._tag !== "Conflict") throw new Error("there must be a conflict")
        expect(conflict.actual).toBe(2)
        expect([yield* log.lastSeq("s"), yield* log.lastSeq("t")]).toEqual([2, 0])
        expect([yield* log.info("s"), yield* log.info("t")]).toEqual([{ stream: "s", first: 1, last: 2 }, undefined])
        expect((yield* Stream.runCollect(log.missing(conflict))).map(({ data }) => data)).toEqual([2])
        const reversed = yield* Stream.runCollect(log.read("s", { reverse: true, limit: 1 }))
        expect(reversed).toMatchObject([{ seq: 2, position: 2, type: "Added", data: 2 }])
      })
    ))

  it("keeps bytes, meta and ids", () =>
    using(
      atOnce(),
      Effect.fnUntraced(function*(store) {
        const bytes = new Uint8Array([0, 255, 1])
        yield* store.log().append("s", { type: "T", data: bytes, meta: { by: "ada" }, id: "e1" }, { expected: "any" })
        expect(yield* Stream.runCollect(store.log().read("s"))).toMatchObject([
          { data: bytes, meta: { by: "ada" }, id: "e1" }
        ])
        yield* store.kv("n").put("k", bytes, { meta: { by: "bob" } })
        expect(yield* store.kv("n").entry("k")).toMatchObject(Option.some({ value: bytes, meta: { by: "bob" } }))
      })
    ))

  it("compares and sets, deletes, and raises a key's revision when it's written again", () => {
    const functions = later()
    return using(
      functions,
      Effect.fnUntraced(function*(store) {
        const kv = store.kv("n")
        const first = yield* kv.put("k", 1, { expected: "absent" })
        if (first._tag === "Conflict") throw new Error("the key was absent")
        expect(yield* kv.put("k", 2, { expected: "absent" })).toMatchObject({
          _tag: "Conflict",
          actual: first.revision
        })
        yield* kv.delete("k")
        expect(yield* kv.get("k")).toEqual(Option.none())
        const again = yield* kv.put("k", 3, { expected: "absent" })
        expect(again).toMatchObject({ revision: first.revision + 2 })
        yield* kv.delete("never there")
        expect([...functions.kept.keys.keys()]).not.toContain(JSON.stringify(["n", "never there"]))
        expect(yield* kv.getMany(["k", "never there"])).toMatchObject([Option.some({ value: 3 }), Option.none()])
      })
    )
  })

  it("reads several keys as they were at one time, whoever writes meanwhile", async () => {
    const functions = later()
    const reading = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    let slow = false
    const kvGet: SixFunctions["kvGet"] = async (key) => {
      const value = await functions.kvGet(key)
      if (!slow || !key.includes("first")) return value
      slow = false
      reading.resolve()
      await written.promise
      return value
    }
    await using(
      { ...functions, kvGet },
      Effect.fnUntraced(function*(store) {
        const kv = store.kv("n")
        yield* kv.put("first", 1)
        yield* kv.put("second", 1)
        slow = true
        const read = yield* Effect.forkChild(kv.getMany(["first", "second"]), { startImmediately: true })
        yield* Effect.promise(() => reading.promise)
        const writing = yield* Effect.forkChild(kv.put("second", 2), { startImmediately: true })
        // Time enough for a write that doesn't wait for the reading.
        for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
        written.resolve()
        const found = yield* Fiber.join(read)
        expect(found.map((entry) => Option.getOrUndefined(entry)?.value)).toEqual([1, 1])
        yield* Fiber.join(writing)
        expect(yield* kv.get("second")).toEqual(Option.some(2))
      })
    )
  })

  it("keeps names that start with $ apart from its own", async () => {
    const functions = atOnce()
    await using(functions, (store) => store.log().append("$handshake", added(1), { expected: 0 }))
    expect(functions.kept.streams.get("$handshake")).toHaveLength(1)
    expect(functions.kept.streams.get("$$handshake")).toHaveLength(1)
    expect(await using(functions, (store) => Stream.runCollect(store.log().read("$handshake")))).toHaveLength(1)
  })

  it("keeps snapshots with the functions for snapshots", async () => {
    const functions = atOnce()
    await using(functions, (store) =>
      Effect.flatMap(
        store.engine.backend.commit([{
          identity: undefined,
          at: 0,
          expect: [],
          append: [],
          write: [{ _tag: "Put", namespace: "$snapshot", key: "p", value: "1", meta: undefined }],
          truncate: []
        }]),
        () => store.engine.backend.get([{ namespace: "$snapshot", key: "p" }])
      ))
    expect([...functions.kept.snapshots.keys()]).toEqual(["$handshake", "p"])
    expect([...functions.kept.keys.keys()]).toEqual(["$store"])
  })
})

describe("above six functions", () => {
  const Sum = Projection.make({
    name: "sum",
    version: 1,
    seed: 0,
    step: (sum, { data }) => typeof data === "number" ? sum + data : sum
  })

  it("streams are projected and decided on, and a snapshot is kept by the functions for snapshots", async () => {
    const functions = later()
    await using(
      functions,
      Effect.fnUntraced(function*(store) {
        for (let n = 0; n < 4; n++) yield* store.log().append("s", added(n), { expected: n })
        expect(yield* project(store, Sum, { stream: "s" })).toMatchObject({ state: 6, seq: 4 })
        expect(yield* project(store, Sum, { streams: ["s", "t"], asOf: { position: 3 } })).toMatchObject({ state: 3 })
        const More = Decider.make({ name: "more", projection: Sum, decide: (sum, n: number) => [added(sum + n)] })
        expect(yield* decide(store, More, "s", 1)).toMatchObject({ _tag: "Decided", seq: 5 })
        yield* saveSnapshot(store, Sum, { stream: "s" })
      })
    )
    expect([...functions.kept.snapshots.keys()]).toHaveLength(2)
    await using(
      functions,
      Effect.fnUntraced(function*(store) {
        yield* store.log().append("s", added(1), { expected: 5 })
        expect(yield* load(store, Sum, { stream: "s" })).toMatchObject({ state: 14, replayed: 1, from: { seq: 5 } })
      })
    )
  })
})

describe("what six functions can't do is refused", () => {
  const refused: ReadonlyArray<readonly [string, string, (store: StoreShape) => Effect.Effect<unknown, unknown>]> = [
    ["two events at once", "atomic", (store) => store.log().append("s", [added(1), added(2)], { expected: 0 })],
    [
      "an event with a key",
      "atomic",
      (store) => store.commit([store.log().ops.append("s", added(1), { expected: 0 }), store.kv("n").ops.put("k", 1)])
    ],
    ["a commit with an id", "resolve", (store) => store.log().append("s", added(1), { expected: 0, id: "c" })],
    ["resolving", "resolve", (store) => store.resolve("c")],
    ["truncation", "truncate", (store) => store.log().truncate("s", 2)],
    ["clearing", "clear", (store) => store.kv("n").clear()],
    ["reading everything", "readAll", (store) => Stream.runCollect(store.log().readAll())],
    ["listing streams", "streams", (store) => Stream.runCollect(store.log().streams())],
    ["scanning keys", "scan", (store) => Stream.runCollect(store.kv("n").scan())],
    ["what changed", "changed", (store) => Stream.runCollect(store.kv("n").changedSince({ after: 0 }))],
    ["listing namespaces", "namespaces", (store) => Stream.runCollect(store.namespaces())]
  ]

  it.each(refused)("%s", async (_, ability, call) => {
    const functions = atOnce()
    const error = await using(functions, (store) => Effect.flip(call(store)))
    expect(error).toBeInstanceOf(Unsupported)
    expect(error).toMatchObject({ ability, backend: "minimal" })
    expect([...functions.kept.streams.keys()], "nothing was written").toEqual(["$handshake"])
    expect([...functions.kept.keys.keys()], "nothing was written").toEqual(["$store"])
  })
})

describe("positions", () => {
  it("go on without a hole after a handle was closed", async () => {
    const functions = later()
    const append = () => using(functions, (store) => store.log().append("s", added(1), { expected: "any" }))
    expect((await append()).position).toBe(1)
    expect((await append()).position).toBe(2)
    expect(await using(functions, (store) => store.head)).toBe(2)
  })

  it("are never given twice after a handle was lost", async () => {
    const functions = atOnce()
    // The copy of the store as it is while the handle is still open is what a crash leaves.
    const left = await using(
      functions,
      (store) =>
        Effect.map(store.kv("n").put("k", 1), ({ revision }) => ({ revision, keys: new Map(functions.kept.keys) }))
    )
    expect(left.revision).toBe(1)
    for (const [key, value] of left.keys) functions.kept.keys.set(key, value)
    const next = await using(functions, (store) => store.kv("n").put("k", 2))
    expect(next.revision).toBeGreaterThan(1)
    expect(next.revision).toBeLessThanOrEqual(1001)
  })

  it("belong to the same store again when it's opened again", async () => {
    const functions = atOnce()
    const incarnation = () => using(functions, (store) => Effect.succeed(store.about.incarnation))
    expect(await incarnation()).toBe(await incarnation())
    expect(await using(atOnce(), (store) => Effect.succeed(store.about.incarnation))).not.toBe(await incarnation())
  })

  it("of thousands of commits rise by one, across every reservation", () =>
    using(
      atOnce(),
      Effect.fnUntraced(function*(store) {
        const kv = store.kv("n")
        for (let n = 1; n <= 2500; n++) expect(yield* kv.put("k", n)).toMatchObject({ revision: n })
        expect(yield* store.head).toBe(2500)
      })
    ))

  it("reads a stream again only where it was written to long ago", () => {
    const functions = atOnce()
    const reads: Array<string> = []
    const counting = {
      ...functions,
      read: (stream: string) => {
        reads.push(stream)
        return functions.read(stream)
      }
    }
    return using(
      counting,
      Effect.fnUntraced(function*(store) {
        const append = (stream: string) => store.log().append(stream, added(1), { expected: "any" })
        yield* append("long ago")
        yield* append("again and again")
        const others = Array.from({ length: 10_000 }, (_, n) => `s${n}`)
        yield* Effect.forEach(others.slice(0, 5000), append, { concurrency: "unbounded", discard: true })
        yield* append("again and again")
        yield* Effect.forEach(others.slice(5000), append, { concurrency: "unbounded", discard: true })
        expect(yield* Effect.forEach(["again and again", "long ago"], append)).toMatchObject([{ last: 3 }, { last: 2 }])
        expect(reads.filter((stream) => stream === "again and again"), "remembered").toHaveLength(1)
        expect(reads.filter((stream) => stream === "long ago"), "forgotten").toHaveLength(2)
      })
    )
  })
})
