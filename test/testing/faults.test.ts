/** A store that goes wrong when a test says so, by Promise and as the Backend of a Layer. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-memory"
import { fromOpen, protocolLaws, run } from "@persist/conformance"
import { Backend, decide, Invalid, OutcomeUnknown, Store, Unavailable } from "@persist/core"
import { makeFaults, type Mishap } from "@persist/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { open } from "persist"
import { failureOf } from "./failure.ts"
import { discounted, Orders, paid, placed, till } from "./orders.ts"

const tick = { type: "Ticked", data: 1 }

/** A store whose faults reach whoever calls it, and what becomes of appends there. */
const faulty = async () => {
  const faults = makeFaults()
  const store = await open(faults.backend, { retries: 0 })
  const append = () => store.log().append("s", tick, { expected: "any" }).then(() => "done", (error) => error._tag)
  const appends = async (times: number) => {
    const told: Array<string> = []
    while (told.length < times) told.push(await append())
    return told
  }
  return { faults, store, appends, [Symbol.asyncDispose]: () => store.close() }
}

describe("makeFaults", () => {
  it.effect("nothing goes wrong until it's told: every law of the protocol holds", () =>
    Effect.gen(function*() {
      const report = yield* run(fromOpen("faults", Effect.suspend(() => makeFaults(make()).backend)), protocolLaws)
      assert.deepStrictEqual(report.laws.filter(({ outcome }) => outcome._tag === "Failed"), [])
      assert.isAbove(report.passed, 200)
    }))

  it("is the same store in memory each time it's opened, and another one for other faults", async () => {
    const faults = makeFaults()
    await using one = await open(faults.backend)
    await one.kv("n").put("a", 1)
    await using other = await open(faults.backend)
    assert.strictEqual(await other.kv("n").get("a"), 1)
    await using another = await open(makeFaults().backend)
    assert.isUndefined(await another.kv("n").get("a"))
  })

  it("next: a commit that is unavailable didn't happen; one whose reply is lost did, and can be resolved", async () => {
    await using test = await faulty()
    const { appends, faults, store } = test
    faults.next("unavailable")
    assert.deepStrictEqual(await appends(2), ["Unavailable", "done"])
    assert.strictEqual(await store.log().lastSeq("s"), 1)
    faults.next("lost")
    // Reads go by it.
    assert.strictEqual(await store.log().lastSeq("s"), 1)
    const lost = await store.log().append("s", tick, { expected: 1 }).catch((error: unknown) => error)
    assert.instanceOf(lost, OutcomeUnknown)
    assert.strictEqual((await store.resolve(lost.id ?? ""))?.appended[0]?.last, 2)
    faults.next("lost", 2)
    faults.next("unavailable")
    assert.deepStrictEqual(await appends(4), ["OutcomeUnknown", "OutcomeUnknown", "Unavailable", "done"])
    assert.strictEqual(await store.log().lastSeq("s"), 5)
    const happened: ReadonlyArray<string> = ["unavailable", "lost", "lost", "lost", "unavailable"]
    assert.deepStrictEqual(faults.happened, happened)
  })

  it("a store sends commits again by itself, each time as another commit: they happen once", async () => {
    const faults = makeFaults()
    await using store = await open(faults.backend)
    faults.next("lost", 2)
    await store.log().append("s", tick, { expected: 0 })
    assert.strictEqual(await store.log().lastSeq("s"), 1)
    faults.next("lost", 3)
    const lost = await store.log().append("s", tick, { expected: 1 }).catch((error: unknown) => error)
    assert.instanceOf(lost, OutcomeUnknown)
    assert.strictEqual(await store.log().lastSeq("s"), 2)
    assert.deepStrictEqual(faults.happened, Array<Mishap>(5).fill("lost"))
  })

  it("every: each nth commit from then on, until it's told otherwise", async () => {
    await using test = await faulty()
    const { appends, faults } = test
    await appends(1)
    faults.every(3, "unavailable")
    assert.deepStrictEqual(await appends(6), ["done", "done", "Unavailable", "done", "done", "Unavailable"])
    faults.every(1, "lost")
    faults.next("unavailable")
    assert.deepStrictEqual(await appends(3), ["Unavailable", "OutcomeUnknown", "OutcomeUnknown"])
    faults.clear()
    assert.deepStrictEqual(await appends(2), ["done", "done"])
  })

  it("randomly: as often as it's told, the same for the same seed", async () => {
    const tell = async (seed: number) => {
      await using test = await faulty()
      test.faults.randomly({ seed, unavailable: 0.2, lost: 0.3 })
      return await test.appends(200)
    }
    const told = await tell(1)
    assert.deepStrictEqual(await tell(1), told)
    assert.notDeepEqual(await tell(2), told)
    const count = (what: string) => told.filter((each) => each === what).length
    assert.closeTo(count("Unavailable"), 40, 20)
    assert.closeTo(count("OutcomeUnknown"), 60, 20)
  })

  it("overtake: who expected something meets a real conflict, with the events that are missing", async () => {
    const faults = makeFaults()
    await using store = await open(faults.backend)
    const log = store.log(Orders)
    await log.append("order-1", placed("ada", 5), { expected: 0 })
    faults.overtake(log.ops.append("order-1", discounted(1), { expected: "any" }))
    const late = await log.append("order-1", paid, { expected: 1 })
    assert.deepInclude(late, { _tag: "Conflict", actual: 2 })
    if (late._tag === "Conflict") {
      assert.deepStrictEqual((await log.missing(late).toArray()).map(({ type }) => type), ["Discounted"])
    }
    // A decider decides anew on what the other one did.
    faults.overtake([log.ops.append("order-1", discounted(1), { expected: "any" })], 2)
    const bought = await store.decide(till, "order-1", { pay: 5 })
    assert.deepInclude(bought, { _tag: "Decided", conflicts: 2 })
    assert.deepStrictEqual(faults.happened, ["overtaken", "overtaken", "overtaken"])

    const theme = store.kv("settings")
    await theme.put("theme", "dark")
    faults.overtake(theme.ops.put("theme", "light"))
    assert.strictEqual((await theme.put("theme", "blue", { expected: "exists" }))._tag, "Committed")
    faults.overtake(theme.ops.put("theme", "light"))
    const seen = await theme.entry("theme")
    assert.strictEqual((await theme.put("theme", "red", { expected: seen?.revision ?? 1 }))._tag, "Conflict")
  })

  it("overtake: operations that can't be committed are the test's mistake, and end the commit", async () => {
    await using test = await faulty()
    const { faults, store } = test
    faults.overtake(store.log().ops.append("s", tick, { expected: 7 }))
    const error = await store.kv("n").put("a", 1).catch((caught: unknown) => caught)
    assert.include(String(error), "the operations that should come first met a conflict")
    faults.overtake(store.log().ops.append("", tick, { expected: "any" }))
    const other = await store.kv("n").put("a", 1).catch((caught: unknown) => caught)
    assert.include(String(other), "an empty string is no name")
    assert.isUndefined(await store.kv("n").get("a"))
  })

  it("down: nothing answers until up", async () => {
    await using test = await faulty()
    const { appends, faults, store } = test
    faults.down()
    assert.deepStrictEqual(await appends(2), ["Unavailable", "Unavailable"])
    assert.instanceOf(await store.kv("n").get("a").catch((error: unknown) => error), Unavailable)
    faults.up()
    assert.deepStrictEqual(await appends(1), ["done"])
    assert.strictEqual(await store.log().lastSeq("s"), 1)
  })

  it("clear: forgets all that was still to go wrong", async () => {
    await using test = await faulty()
    const { appends, faults, store } = test
    faults.next("lost", 3)
    faults.overtake(store.kv("n").ops.put("a", 1), 3)
    faults.down()
    faults.clear()
    assert.deepStrictEqual(await appends(4), ["done", "done", "done", "done"])
    assert.isUndefined(await store.kv("n").get("a"))
    assert.deepStrictEqual(faults.happened, [])
  })

  it("refuses what is no count and no chance", () => {
    const faults = makeFaults()
    const wrong = [
      () => faults.next("lost", 0),
      () => faults.every(0.5, "lost"),
      () => faults.overtake([], -1),
      () => faults.randomly({ seed: 1, lost: -0.1 }),
      () => faults.randomly({ seed: 1, lost: NaN }),
      () => faults.randomly({ seed: 1, lost: 0.6, unavailable: 0.6 })
    ]
    for (const each of wrong) assert.instanceOf(failureOf(each), Invalid)
  })

  it.effect("as the Backend of a Layer; what is sent again waits for the test's clock", () => {
    const faults = makeFaults()
    return Effect.gen(function*() {
      const store = yield* Store
      const log = store.log(Orders)
      faults.next("unavailable")
      const append = yield* Effect.forkChild(log.append("order-1", placed("ada", 5), { expected: 0 }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(append))._tag, "Committed")
      faults.overtake(log.ops.append("order-1", discounted(1), { expected: "any" }))
      assert.deepInclude(yield* decide(store, till, "order-1", { pay: 5 }), { _tag: "Decided", conflicts: 1 })
    }).pipe(Effect.provide(Store.layer.pipe(Layer.provide(Layer.effect(Backend, faults.backend)))))
  })
})
