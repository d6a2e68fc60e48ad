/** Laws of waiting at a store: who is interrupted while a commit waits, and who waits for what isn't there yet. */
import { OnFlush } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { equal, every, holds, present } from "../assertion.ts"
import { gated } from "../gate.ts"
import { at, count, dataIn, dataOf, done, failing, fill, input, stillWaits } from "../store-given.ts"
import { type Bench, storeLawOf } from "../store-law.ts"

const law = storeLawOf("store waiting")
const early = { startImmediately: true } as const

// A store whose flushes wait at a gate.
const behindGate = Effect.fnUntraced(function*({ backend, over }: Bench) {
  const gate = yield* gated(backend)
  return { gate, store: yield* over(() => gate.backend) }
})

/** Laws of interruption, and of reads that demand a position. */
export const storeWaiting = [
  law("whoever is interrupted leaves a whole commit or nothing", ["atomic"], function*(_store, bench) {
    const { gate, store } = yield* behindGate(bench)
    const commit = (n: number) =>
      store.commit([
        store.log().ops.append("s", input(n), { expected: "any" }),
        store.kv("n").ops.put(`k${n}`, `${n}`),
        store.log().ops.append("t", input(n), { expected: "any" })
      ])
    const [flushed, waiting] = [yield* Effect.forkChild(commit(1), early), yield* Effect.forkChild(commit(2), early)]
    yield* gate.arrived
    const late = yield* Effect.forkChild(commit(3), early)
    for (const fiber of [flushed, waiting, late]) yield* Fiber.interrupt(fiber)
    const last = yield* Effect.forkChild(commit(4), early)
    yield* Effect.forEach(count(4), () => gate.open)
    yield* Fiber.join(last)
    const inStream = yield* dataOf(store, "s")
    yield* equal("what is in the other stream", yield* dataOf(store, "t"), inStream)
    const keys = yield* store.kv("n").getMany(count(4).map((n) => `k${n}`))
    const found = keys.flatMap((entry, n) => Option.isSome(entry) ? [n + 1] : [])
    yield* equal("what is under keys", found, inStream.map(Number))
    yield* holds(inStream.includes(4), "the commit that nobody interrupted isn't there")
  }),

  law("whoever is interrupted takes nobody else's commit with it", [], function*(_store, bench) {
    const { gate, store } = yield* behindGate(bench)
    const commits = yield* Effect.forEach(
      count(6),
      (n) => Effect.forkChild(store.log().append(`s${n}`, input(n), { expected: 0 }), early)
    )
    yield* gate.arrived
    yield* Effect.forEach(commits.filter((_, n) => n % 2 === 0), Fiber.interrupt, { concurrency: "unbounded" })
    yield* Effect.forEach(count(6), () => gate.open)
    const others = yield* Effect.forEach(commits.filter((_, n) => n % 2 === 1), (fiber) => Fiber.join(fiber))
    yield* every("those who were not interrupted", others, ({ _tag }) => _tag === "Committed")
    for (const n of [2, 4, 6]) yield* equal(`stream ${n}`, yield* dataOf(store, `s${n}`), [n])
  }),

  law("a commit that is interrupted while it waits for its flush never happens", [], function*(_store, bench) {
    const { gate, store } = yield* behindGate(bench)
    const heard: Array<string> = []
    const append = (stream: string) =>
      Effect.provideService(
        store.log().append(stream, input(1), { expected: 0 }),
        OnFlush,
        ({ commit: { append: [first] } }) => heard.push(first?.stream ?? "")
      )
    const flushed = yield* Effect.forkChild(append("flushed"), early)
    yield* gate.arrived
    const waiting = yield* Effect.forkChild(append("waiting"), early)
    yield* stillWaits("a commit behind another's flush", waiting)
    yield* Fiber.interrupt(waiting)
    yield* gate.open
    yield* Fiber.join(flushed)
    const last = yield* Effect.forkChild(append("last"), early)
    yield* gate.open
    yield* Fiber.join(last)
    yield* equal("commits that left the queue", heard, ["flushed", "last"])
    yield* equal("data", yield* Effect.forEach(["flushed", "waiting", "last"], (s) => dataOf(store, s)), [[1], [], [1]])
  }),

  law("whoever demands the position of its own commit reads it", ["readAll", "scan", "changed"], function*(store) {
    const log = store.log()
    const kv = store.kv("n")
    for (const n of count(5)) {
      const { position: atLeast } = yield* done(log.append("s", input(n), { expected: n - 1 }))
      yield* equal("the stream", yield* dataOf(store, "s", { atLeast }), count(n))
      const all = yield* Stream.runCollect(log.readAll({ atLeast }))
      yield* equal("all streams", dataIn(all), count(n))
      const { revision } = yield* kv.put(`k${n}`, n)
      const { revision: before } = yield* present("entry", Option.getOrUndefined(yield* kv.entry(`k${n}`)))
      yield* equal("the key's revision", before, revision)
      yield* equal("the key", yield* kv.get(`k${n}`, { atLeast: revision }), Option.some(n))
      yield* equal("all keys", yield* kv.count({ atLeast: revision }), n)
      const changes = yield* Stream.runCollect(kv.changedSince({ after: atLeast, atLeast: revision }))
      yield* equal("changes", changes.map(({ key }) => key), [`k${n}`])
    }
  }),

  law("whoever demands a position waits until the store has come to it", [], function*(store) {
    yield* fill(store, "s", [1])
    const atLeast = (yield* store.head) + 1
    const readers = yield* Effect.forEach(
      [dataOf(store, "s", { atLeast }), Effect.map(store.kv("n").get("k", { atLeast }), Option.toArray)],
      (read) => Effect.forkChild(read, early)
    )
    for (const reader of readers) yield* stillWaits("a read of what isn't there yet", reader)
    yield* fill(store, "s", [2])
    const [events, value] = yield* Effect.forEach(readers, (reader) => Fiber.join(reader))
    yield* equal("what was read of the stream", events, [1, 2])
    yield* equal("what was read of the key", value, [])
  }),

  law("a store that doesn't come to the position that is demanded says so, and gives nothing", [], function*(
    _store,
    { over }
  ) {
    const store = yield* over((backend) => backend, { atLeastWithin: 1000 })
    const [{ position } = yield* Effect.die("no outcome")] = yield* fill(store, "s", [1])
    const atLeast = position + 100_000
    yield* failing("the stream", at(0, dataOf(store, "s", { atLeast })), "Unavailable")
    yield* failing("a key", at(0, store.kv("n").get("k", { atLeast })), "Unavailable")
    yield* equal("what is read without it", yield* dataOf(store, "s", { atLeast: position }), [1])
  })
]
