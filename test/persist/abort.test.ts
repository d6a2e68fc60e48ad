/** Aborting: the signal's reason where nothing happened, an unknown outcome where a commit was already on its way. */
import { make } from "@persist/backend-memory"
import type { BackendShape } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { Invalid, open, OutcomeUnknown, SnapshotPolicy, type Store } from "persist"
import { describe, expect, it } from "vitest"
import { type Gate, makeGate } from "../core/gate.ts"
import { Buyers, Item, Left, Sale, sold, stocked } from "./shop.ts"

const gated = async (): Promise<{ readonly gate: Gate; readonly store: Store }> => {
  const gate = await Effect.runPromise(makeGate)
  return { gate, store: await open(Effect.succeed(gate.backend)) }
}

const arrived = ({ arrived: arrival }: Gate) => Effect.runPromise(arrival)
const letThrough = (gate: Gate) => Effect.runPromise(gate.open())
/** Waits for a batch, and lets it through. */
const passing = async (gate: Gate) => {
  await arrived(gate)
  await letThrough(gate)
}

describe("a commit that is aborted", () => {
  it("before it's sent rejects with the reason, and is never sent", async () => {
    const { gate, store } = await gated()
    const reason = { why: "the user left" }
    const appending = store.log(Item).append("tea", stocked(1), { expected: 0, signal: AbortSignal.abort(reason) })
    await expect(appending).rejects.toBe(reason)
    expect(gate.batches).toEqual([])
  })

  it("while it waits rejects with an AbortError, and nobody else is disturbed", async () => {
    const { gate, store } = await gated()
    const kv = store.kv("n")
    const first = kv.put("a", 1)
    await arrived(gate)
    const controller = new AbortController()
    const second = kv.put("b", 2, { signal: controller.signal })
    const third = kv.put("c", 3)
    controller.abort()
    await expect(second).rejects.toMatchObject({ name: "AbortError" })
    await letThrough(gate)
    await first
    await arrived(gate)
    await letThrough(gate)
    await third
    expect(gate.batches.map((batch) => batch.length)).toEqual([1, 1])
    expect((await kv.scan().toArray()).map(({ key }) => key)).toEqual(["a", "c"])
  })

  it("while it's being flushed rejects with an unknown outcome, and happens whole", async () => {
    const { gate, store } = await gated()
    const controller = new AbortController()
    const log = store.log(Item)
    const kv = store.kv("n")
    const ops = [log.ops.append("tea", [stocked(1), sold(1, "ada")], { expected: 0 }), kv.ops.put("k", 1)]
    const committing = store.commit(ops, { id: "c1", signal: controller.signal })
    await arrived(gate)
    const reason = new Error("too late")
    controller.abort(reason)
    const error = await committing.catch((rejected: unknown) => rejected)
    expect(error).toBeInstanceOf(OutcomeUnknown)
    expect(error).toMatchObject({ id: "c1", cause: reason })
    expect(String(error)).toMatch(/aborted when its commit was on its way; call resolve\("c1"\)/)
    await letThrough(gate)
    await store.close()
    await using again = await open(Effect.succeed(gate.backend))
    expect(await again.log(Item).lastSeq("tea")).toBe(2)
    expect(await again.resolve("c1")).toMatchObject({ _tag: "Committed" })
  })

  it("without an id, while it's being flushed, has none to resolve", async () => {
    const { gate, store } = await gated()
    const controller = new AbortController()
    const putting = store.kv("n").put("a", 1, { signal: controller.signal })
    await arrived(gate)
    controller.abort()
    await expect(putting).rejects.toMatchObject({ _tag: "OutcomeUnknown", id: undefined })
    await letThrough(gate)
  })

  it("after it happened has happened", async () => {
    await using store = await open("memory:")
    const controller = new AbortController()
    const outcome = await store.kv("n").put("a", 1, { signal: controller.signal })
    controller.abort()
    expect(outcome._tag).toBe("Committed")
    expect(await store.kv("n").get("a")).toBe(1)
  })

  it("of a read model waits for the one in hand, and says how many happened", async () => {
    const { gate, store } = await gated()
    await Promise.all([store.log(Item).append("tea", [stocked(9), sold(1, "ada")], { expected: 0 }), passing(gate)])
    const controller = new AbortController()
    const rebuilding = store.rebuild(Buyers, { signal: controller.signal })
    // The keys are cleared; what the events make of them is at the gate.
    await passing(gate)
    await arrived(gate)
    controller.abort()
    await letThrough(gate)
    const error = await rebuilding.catch((rejected: unknown) => rejected)
    expect(error).toMatchObject({ _tag: "OutcomeUnknown", id: undefined, happened: 2 })
    expect(String(error)).toMatch(
      /aborted after 2 of its commits happened; look at what is there before you call again/
    )
  })

  it("of several between two of them says how many happened", async () => {
    const { gate, store } = await gated()
    await Promise.all([store.log(Item).append("tea", [stocked(9), sold(1, "ada")], { expected: 0 }), passing(gate)])
    const reads = await Effect.runPromise(Deferred.make<void>())
    const halted = { ...gate.backend, readAll: () => Effect.andThen(Deferred.succeed(reads, undefined), Effect.never) }
    const stuck = await open(Effect.succeed(halted))
    const controller = new AbortController()
    const reason = new Error("enough")
    const rebuilding = stuck.rebuild(Buyers, { signal: controller.signal })
    await passing(gate)
    await Effect.runPromise(Deferred.await(reads))
    controller.abort(reason)
    const error = await rebuilding.catch((rejected: unknown) => rejected)
    expect(error).toMatchObject({ _tag: "OutcomeUnknown", happened: 1, cause: reason })
    expect(String(error)).toMatch(/aborted after one of its commits happened; look/)
    await Promise.all([store.rebuild(Buyers), passing(gate), passing(gate)])
  })

  it("when a decision happened names the decision, not the snapshot that is being saved", async () => {
    const { gate, store } = await gated()
    await Promise.all([store.log(Item).append("tea", stocked(9), { expected: 0 }), passing(gate)])
    const controller = new AbortController()
    const { signal } = controller
    const options = { id: "d1", signal, snapshots: SnapshotPolicy.every(1) }
    const deciding = store.decide(Sale, "tea", { count: 1, to: "ada" }, options)
    await passing(gate)
    await arrived(gate)
    controller.abort()
    const error = await deciding.catch((rejected: unknown) => rejected)
    expect(error).toMatchObject({ _tag: "OutcomeUnknown", id: "d1", happened: 1 })
    expect(String(error)).toMatch(/aborted after one of its commits happened, with another on its way; look/)
    await letThrough(gate)
    expect(await store.resolve("d1")).toMatchObject({ _tag: "Committed" })
  })

  it("when a decision lost its race and looks again has done nothing", async () => {
    const memory = await Effect.runPromise(make())
    await using store = await open(Effect.succeed(memory))
    const log = store.log(Item)
    await log.append("tea", stocked(9), { expected: 0 })
    const looking = await Effect.runPromise(Deferred.make<void>())
    let reads = 0
    const raced: BackendShape = {
      ...memory,
      readStream: (range) =>
        ++reads === 1
          ? Effect.tap(memory.readStream(range), () =>
            Effect.promise(() => log.append("tea", sold(1, "bob"), { expected: 1 })))
          : Effect.andThen(Deferred.succeed(looking, undefined), Effect.never)
    }
    const slower = await open(Effect.succeed(raced))
    const controller = new AbortController()
    const reason = new Error("enough")
    const deciding = slower.decide(Sale, "tea", { count: 1, to: "ada" }, { signal: controller.signal })
    await Effect.runPromise(Deferred.await(looking))
    controller.abort(reason)
    await expect(deciding).rejects.toBe(reason)
    expect(await log.lastSeq("tea")).toBe(2)
  })

  it("after a decision that lost a race says what became of its last commit", async () => {
    const { gate, store } = await gated()
    const stocking = store.log(Item).append("tea", stocked(9), { expected: 0 })
    await arrived(gate)
    await letThrough(gate)
    await stocking
    const controller = new AbortController()
    const deciding = store.decide(Sale, "tea", { count: 1, to: "ada" }, { signal: controller.signal })
    await arrived(gate)
    controller.abort()
    await expect(deciding).rejects.toBeInstanceOf(OutcomeUnknown)
    await letThrough(gate)
  })
})

describe("every verb", () => {
  const verbs: ReadonlyArray<readonly [string, (store: Store, signal: AbortSignal) => Promise<unknown>]> = [
    ["log.append", (s, signal) => s.log(Item).append("tea", stocked(1), { expected: "any", signal })],
    ["log.read", (s, signal) => s.log(Item).read("tea", { signal }).toArray()],
    ["log.readAll", (s, signal) => s.log(Item).readAll({ signal }).toArray()],
    ["log.lastSeq", (s, signal) => s.log(Item).lastSeq("tea", { signal })],
    ["log.info", (s, signal) => s.log(Item).info("tea", { signal })],
    ["log.streams", (s, signal) => s.log(Item).streams({ signal }).toArray()],
    ["log.truncate", (s, signal) => s.log(Item).truncate("tea", 1, { signal })],
    ["log.delete", (s, signal) => s.log(Item).delete("tea", { expected: "any", signal })],
    ["kv.get", (s, signal) => s.kv("n").get("a", { signal })],
    ["kv.entry", (s, signal) => s.kv("n").entry("a", { signal })],
    ["kv.getMany", (s, signal) => s.kv("n").getMany(["a"], { signal })],
    ["kv.has", (s, signal) => s.kv("n").has("a", { signal })],
    ["kv.count", (s, signal) => s.kv("n").count({ signal })],
    ["kv.scan", (s, signal) => s.kv("n").scan({ signal }).toArray()],
    ["kv.put", (s, signal) => s.kv("n").put("a", 1, { signal })],
    ["kv.putMany", (s, signal) => s.kv("n").putMany([["a", 1]], { signal })],
    ["kv.delete", (s, signal) => s.kv("n").delete("a", { signal })],
    ["kv.deleteMany", (s, signal) => s.kv("n").deleteMany(["a"], { signal })],
    ["kv.clear", (s, signal) => s.kv("n").clear({ signal })],
    ["kv.changedSince", (s, signal) => s.kv("n").changedSince({ after: 0, signal }).toArray()],
    ["commit", (s, signal) => s.commit([s.kv("n").ops.put("a", 1)], { signal })],
    ["resolve", (s, signal) => s.resolve("c", { signal })],
    ["head", (s, signal) => s.head({ signal })],
    ["namespaces", (s, signal) => s.namespaces({ signal }).toArray()],
    ["project", (s, signal) => s.project(Left, { stream: "tea", signal })],
    ["load", (s, signal) => s.load(Left, { all: true, signal })],
    ["decide", (s, signal) => s.decide(Sale, "tea", { count: 0, to: "ada" }, { signal })],
    ["saveSnapshot", (s, signal) => s.saveSnapshot(Left, { stream: "tea", signal })],
    ["listSnapshots", (s, signal) => s.listSnapshots({ signal }).toArray()],
    ["deleteSnapshots", (s, signal) => s.deleteSnapshots({ signal })],
    ["compact", (s, signal) => s.compact({ projection: Left, stream: "tea", signal })],
    ["registerProjection", (s, signal) => s.registerProjection(Left, { stream: "tea" }, { signal })],
    ["catchUp", (s, signal) => s.catchUp(Buyers, { signal })],
    ["rebuild", (s, signal) => s.rebuild(Buyers, { signal })],
    ["waitFor", (s, signal) => s.waitFor(Buyers, 0, { signal })],
    ["registerReader", (s, signal) => s.registerReader("r", { signal })],
    ["listReaders", (s, signal) => s.listReaders({ signal })],
    ["slowestReader", (s, signal) => s.slowestReader("tea", { signal })],
    ["resetReader", (s, signal) => s.resetReader("r", "start", { signal })],
    ["readCheckpoint", (s, signal) => s.readCheckpoint("r", { signal })],
    ["removeReader", (s, signal) => s.removeReader("r", { signal })]
  ]

  it.each(verbs)("%s takes a signal, and does nothing once it's aborted", async (_, verb) => {
    await using store = await open("memory:")
    await store.log(Item).append("tea", stocked(1), { expected: 0 })
    await store.registerReader("r")
    const before = await store.head()
    const reason = new Error("enough")
    await expect(verb(store, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(await store.head(), "nothing was written").toBe(before)
    await verb(store, new AbortController().signal)
  })

  it.each(verbs)("%s refuses what is no signal", async (_, verb) => {
    await using store = await open("memory:")
    const wrong = "stop" as unknown as AbortSignal // wrong on purpose
    const error = await verb(store, wrong).catch((rejected: unknown) => rejected)
    expect(error).toBeInstanceOf(Invalid)
    expect(error).toMatchObject({ field: "signal" })
  })
})
