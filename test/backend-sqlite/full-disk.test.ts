/** A disk that takes no more: what failed in its final write is unknown until it's resolved, and the rest stays. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-sqlite"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { runChild } from "./child.ts"
import { eventsOf, newPath } from "./place.ts"

/** A file whose disk took no more of these commits: how many were acknowledged, and what else was said. */
const filled = Effect.fnUntraced(function*(commits: "named" | "single") {
  const path = yield* newPath
  const said: unknown = JSON.parse(yield* runChild("fill.ts", [path, commits], { fileKibibytes: 3000 }))
  assert(typeof said === "object" && said !== null && "acknowledged" in said)
  const acknowledged = Number(said.acknowledged)
  assert.isAbove(acknowledged, 50)
  const backend = yield* make({ path })
  assert.strictEqual((yield* eventsOf(backend, "s")).length, acknowledged)
  return { acknowledged, backend, said }
})

describe("a disk that takes no more", () => {
  it.live("the outcome is unknown until it is resolved, and what was acknowledged stays", () =>
    Effect.gen(function*() {
      const { acknowledged, backend, said } = yield* filled("named")
      assert.deepStrictEqual<unknown>(said, {
        acknowledged,
        failed: "OutcomeUnknown",
        id: `c${acknowledged}`,
        resolved: "None",
        head: acknowledged + 1
      })
      assert.isTrue(Option.isSome(yield* backend.resolve(`c${acknowledged - 1}`)))
      assert.isTrue(Option.isNone(yield* backend.resolve(`c${acknowledged}`)))
    }))

  it.live("the outcome of a single event is unknown as well, and it's gone once the handle has settled it", () =>
    Effect.gen(function*() {
      const { acknowledged, said } = yield* filled("single")
      assert.deepStrictEqual<unknown>(said, {
        acknowledged,
        failed: "OutcomeUnknown",
        resolved: "None",
        head: acknowledged + 1
      })
    }))
})
