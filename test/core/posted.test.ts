/** Appends without a fiber: they come to what the same append in a fiber comes to. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { type BackendShape, type Committed, makeStore, noSeq, Position, type StoreOptions } from "@persist/core"
import { Posted } from "@persist/core/posted"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

type Ended = Exit.Exit<unknown, unknown>

const posting = (effect: Effect.Effect<unknown, unknown>): Effect.Effect<Ended> =>
  Effect.callback((resume) => {
    assert(effect instanceof Posted)
    effect.post((exit) => resume(Effect.succeed(exit)))
  })

const told = (exit: Ended): unknown => Exit.isSuccess(exit) ? exit.value : String(Cause.squash(exit.cause))

/** The same append by both ways, each to a store of its own. */
const both = (
  change: Partial<BackendShape>,
  options: StoreOptions,
  stream: string,
  expected: number | "any"
) =>
  Effect.gen(function*() {
    const append = Effect.map(
      Effect.flatMap(makeMemory(), (backend) => makeStore({ ...backend, ...change }, options)),
      (store) => store.log().append(stream, { type: "Counted", data: 1 }, { expected })
    )
    return [told(yield* Effect.exit(yield* append)), told(yield* posting(yield* append))]
  })

const none: Committed = { _tag: "Committed", position: Position(noSeq), appended: [], revisions: [], repeated: false }

describe("an append without a fiber", () => {
  it.effect("happens, loses its race and is refused as in one", () =>
    Effect.gen(function*() {
      for (
        const [stream, expected, says] of [["a", 0, "Committed"], ["a", 7, "Conflict"], ["", 0, "stream"]] as const
      ) {
        const [inFiber, without] = yield* both({}, {}, stream, expected)
        assert.deepStrictEqual(without, inFiber)
        assert.include(JSON.stringify(without), says)
      }
    }))

  it.effect("fails with a backend's defect, as in one, and those after it are served", () =>
    Effect.gen(function*() {
      const throws = () => {
        throw new Error("the backend is broken")
      }
      for (
        const [commit, says] of [[throws, "is broken"], [() => Effect.succeed([none] as const), "no place"]] as const
      ) {
        const [inFiber, without] = yield* both({ commit }, {}, "a", "any")
        assert.strictEqual(without, inFiber)
        assert.include(String(without), says)
      }
      const store = yield* makeStore({ ...yield* makeMemory(), commit: () => Effect.succeed([none]) })
      const append = () => store.log().append("a", { type: "Counted", data: 1 }, { expected: "any" })
      assert.strictEqual(told(yield* posting(append())), told(yield* posting(append())))
    }))

  it.effect("fails with what its event throws when it's read, as in one", () =>
    Effect.gen(function*() {
      const append = Effect.map(Effect.flatMap(makeMemory(), (backend) => makeStore(backend)), (store) =>
        store.log().append("a", {
          type: "Counted",
          get data(): number {
            throw new Error("the event is broken")
          }
        }, { expected: "any" }))
      const inFiber = told(yield* Effect.exit(yield* append))
      assert.strictEqual(told(yield* posting(yield* append)), inFiber)
      assert.include(String(inFiber), "the event is broken")
    }))

  it.effect("is told once what became of it", () =>
    Effect.gen(function*() {
      const all: Array<Array<Ended>> = []
      const post = (effect: Effect.Effect<unknown, unknown>) => {
        const own: Array<Ended> = []
        assert(effect instanceof Posted)
        effect.post((exit) => own.push(exit))
        all.push(own)
      }
      const log = (yield* makeStore(yield* makeMemory(), { waitingCommits: 2 })).log()
      const append = (stream: string, expected: number | "any") =>
        log.append(stream, { type: "Counted", data: 1 }, { expected })
      // One that happens, one that conflicts, one too many, one that can't be.
      for (const [stream, expected] of [["a", 0], ["a", 0], ["a", "any"], ["", 0]] as const) {
        post(append(stream, expected))
      }
      // What is sent later is done later.
      while (all.some((own) => own.length === 0)) yield* Effect.yieldNow
      assert.strictEqual(told(yield* posting(append("b", 0))) === undefined, false)
      assert.deepStrictEqual(all.map((own) => own.map(({ _tag }) => _tag)), [
        ["Success"],
        ["Success"],
        ["Failure"],
        ["Failure"]
      ])
    }))

  it.effect("is refused where too much waits", () =>
    Effect.gen(function*() {
      const store = yield* makeStore(yield* makeMemory(), { waitingCommits: 1 })
      const append = () => store.log().append("a", { type: "Counted", data: 1 }, { expected: "any" })
      const [first, second] = yield* Effect.all([posting(append()), posting(append())], { concurrency: 2 })
      assert.isTrue(Exit.isSuccess(first))
      assert.include(String(told(second)), "already wait")
    }))
})
