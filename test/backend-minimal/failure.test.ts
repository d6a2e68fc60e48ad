/** Six functions that fail: what nobody can know is unknown, what didn't happen is unavailable, nobody else suffers. */
import type { SixFunctions } from "@persist/backend-minimal"
import { Corrupt, OutcomeUnknown, Unavailable } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { describe, expect, it } from "vitest"
import { atOnce, later } from "./functions.ts"
import { added, using } from "./store.ts"

describe("a function that fails", () => {
  const failing = (name: "append" | "kvPut" | "read" | "kvGet", when: () => boolean, done: boolean) => {
    const functions = later()
    const cause = new Error("the line went dead")
    const broken = async (...args: ReadonlyArray<unknown>) => {
      if (!when()) return Reflect.apply(functions[name], functions, args)
      if (done) await Reflect.apply(functions[name], functions, args)
      throw cause
    }
    return { functions: { ...functions, [name]: broken } as SixFunctions, cause }
  }

  it.each([true, false])(
    "while it appends leaves the outcome unknown, whether it had done it (%s) or not",
    async (done) => {
      let broken = false
      const { cause, functions } = failing("append", () => broken, done)
      await using(
        functions,
        Effect.fnUntraced(function*(store) {
          const log = store.log()
          yield* log.append("s", added(1), { expected: 0 })
          broken = true
          const error = yield* Effect.flip(log.append("s", added(2), { expected: 1 }))
          expect(error).toBeInstanceOf(OutcomeUnknown)
          expect(error).toMatchObject({ id: undefined, cause })
          broken = false
          // The stream itself knows, and what is appended next has the seq after what is there.
          const next = yield* log.append("s", added(3), { expected: "any" })
          expect(next.first).toBe(done ? 3 : 2)
          expect(next.position).toBe(3)
          expect((yield* Stream.runCollect(log.read("s"))).map(({ data }) => data)).toEqual(done ? [1, 2, 3] : [1, 3])
        })
      )
    }
  )

  it("while it reads leaves nothing behind, and the append is tried again", async () => {
    let failures = 0
    const { functions } = failing("read", () => failures-- > 0, false)
    await using(functions, (store) => {
      failures = 1
      return store.log().append("s", added(1), { expected: 0 })
    })
    expect(failures, "it was read again").toBeLessThan(0)
  })

  it("fails its own caller and nobody else's", async () => {
    let appends = 0
    const { functions } = failing("append", () => ++appends === 4, false)
    const exits = await using(
      functions,
      (store) =>
        Effect.forEach(
          ["a", "b", "c", "d", "e"],
          (stream) => Effect.result(store.log().append(stream, added(1), { expected: 0 })),
          { concurrency: "unbounded" }
        )
    )
    // The first append is the handshake's.
    expect(exits.map(({ _tag }) => _tag)).toEqual(["Success", "Success", "Failure", "Success", "Success"])
  })

  it("in a batch of the protocol's leaves the whole batch unknown once one of it has happened", async () => {
    let broken = false
    const { functions } = failing("kvGet", () => broken, false)
    const put = (key: string, expected: "absent" | undefined) => ({
      identity: undefined,
      at: 0,
      expect: expected === undefined ? [] : [{ _tag: "Key", namespace: "n", key, expected }] as const,
      append: [],
      write: [{ _tag: "Put", namespace: "n", key, value: "1", meta: undefined }] as const,
      truncate: []
    })
    await using(
      functions,
      Effect.fnUntraced(function*({ engine: { backend } }) {
        broken = true
        expect(yield* Effect.flip(backend.commit([put("a", "absent")]))).toBeInstanceOf(Unavailable)
        expect(yield* Effect.flip(backend.commit([put("a", undefined), put("b", "absent")])))
          .toBeInstanceOf(OutcomeUnknown)
      })
    )
  })

  it("to keep what it was given later is found out when it's read", async () => {
    const functions = atOnce()
    await using(functions, (store) => store.log().append("s", added(1), { expected: 0 }))
    const [event] = functions.kept.streams.get("s") ?? []
    if (event === undefined) throw new Error("there must be an event")
    for (const wrong of [{ ...event, data: "1" }, { ...event, seq: 2 }, { ...event, data: `{"position":1}` }]) {
      functions.kept.streams.set("s", [wrong])
      const error = await using(functions, (store) => Effect.flip(Stream.runCollect(store.log().read("s"))))
      expect(error).toBeInstanceOf(Corrupt)
    }
    functions.kept.keys.set(JSON.stringify(["n", "k"]), "1")
    expect(await using(functions, (store) => Effect.flip(store.kv("n").get("k")))).toBeInstanceOf(Corrupt)
  })
})

describe("a read that is interrupted", () => {
  it.each(["kvGet", "read"] as const)("leaves %s its turn until it has answered", async (name) => {
    const functions = atOnce()
    const calls: Array<string> = []
    const [begun, released] = await Effect.runPromise(Effect.all([Deferred.make<void>(), Deferred.make<void>()]))
    let held = false
    const holding = async (key: string) => {
      if (!held) return functions[name](key)
      calls.push(`${name} begins`)
      Deferred.doneUnsafe(begun, Effect.void)
      await Effect.runPromise(Deferred.await(released))
      calls.push(`${name} ends`)
      return functions[name](key)
    }
    const kvPut = (key: string, value: string) => {
      if (held) calls.push("kvPut")
      return functions.kvPut(key, value)
    }
    await using(
      { ...functions, [name]: holding, kvPut },
      Effect.fnUntraced(function*(store) {
        held = true
        const reading = name === "kvGet" ? store.kv("n").get("k") : Stream.runDrain(store.log().read("s"))
        const reader = yield* Effect.forkChild(reading, { startImmediately: true })
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(reader)
        const putting = yield* Effect.forkChild(store.kv("n").put("k", 1), { startImmediately: true })
        for (let n = 0; n < 10; n++) yield* Effect.yieldNow
        yield* Deferred.succeed(released, undefined)
        yield* Fiber.join(putting)
        expect(calls.slice(0, 3)).toEqual([`${name} begins`, `${name} ends`, "kvPut"])
      })
    )
  })
})
