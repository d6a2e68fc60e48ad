/** Histories of clients whose connections are cut as they write and read: some order explains each of them. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { type Fault, type Fixture, isLinearizable, wrapped, type Wrapper } from "@persist/conformance"
import { Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import { makeDice } from "../crash/dice.ts"
import { sharedPostgres } from "../servers/postgres.ts"
import { type Proxy, startProxy } from "../servers/proxy.ts"

/** A store by way of a proxy in each place, all by the same one. */
const behind = (url: string, proxy: Proxy): Fixture => ({
  name: "postgres, cut",
  place: Effect.succeed({ open: make({ url: proxy.through(url), reconnectWithin: 5000 }) })
})

/** Cuts a connection in every third call or so, anywhere, either way. */
const cutting = (proxy: Proxy, seed: string) => {
  const dice = makeDice(seed)
  return (): Fault => {
    if (dice.percent(30)) {
      const of = dice.pick(["client", "server"] as const)
      const at = dice.pick(["before", "after"] as const)
      Effect.runSync(proxy.cut({ of, at, n: 1 + dice.below(6), loss: dice.pick(["reset", "end"]) }))
    }
    return "none"
  }
}

/** Says of commits whose reply was lost that they never happened. */
const presumptuous: Wrapper = {
  name: "presumptuous",
  wrap: (backend) =>
    Effect.succeed({
      ...backend,
      commit: (batch) =>
        Effect.catchTag(backend.commit(batch), "OutcomeUnknown", ({ reason }) =>
          Effect.fail(new Unavailable({ operation: "commit", reason, remedy: "try again" })))
    })
}

const history = Effect.fnUntraced(function*(seed: string, ...wrappers: ReadonlyArray<Wrapper>) {
  const { database } = yield* sharedPostgres
  const url = yield* database
  const proxy = yield* startProxy(Number(new URL(url).port))
  const fixture = wrapped(behind(url, proxy), ...wrappers)
  return yield* isLinearizable(fixture, { clients: 3, rounds: 5, fault: cutting(proxy, seed) })
})

describe("clients whose connections are cut", () => {
  it.live("make a history that has an order, whatever became of what nobody knows", () =>
    Effect.gen(function*() {
      const calls = yield* Effect.scoped(history("1"))
      for (const result of [undefined, true, false]) {
        assert.isAbove(calls.filter((call) => call.result === result).length, 0, String(result))
      }
    }), 60_000)

  it.live("find out a store that takes a lost reply for a lost commit", () =>
    Effect.gen(function*() {
      // Not every history has a reply in it that was lost and mattered.
      for (const seed of ["1", "2", "3", "4", "5", "6", "7", "8"]) {
        const found = yield* Effect.result(Effect.scoped(history(seed, presumptuous)))
        if (found._tag === "Failure") return assert.include(String(found.failure), "no order of these calls")
      }
      assert.fail("it wasn't found out")
    }), 60_000)
})
