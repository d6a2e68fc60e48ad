/** Which events, and as of when: what can be asked, and what is refused. */
import { assert, describe, it } from "@effect/vitest"
import { Invalid, makeStore, project, type Scope } from "@persist/core"
import * as Effect from "effect/Effect"
import { append, memoryStore, sum } from "./ledger.ts"

const refused = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.instanceOf(error, Invalid)
    return error
  })

describe("scope", () => {
  it.effect("refuses options that say nothing, too much, or nonsense, and names them", () =>
    Effect.gen(function*() {
      const { store } = yield* memoryStore
      yield* append(store, "a", 1)
      const wrong: ReadonlyArray<readonly [field: string, options: unknown]> = [
        ["scope", undefined],
        ["scope", {}],
        ["scope", { stream: undefined }],
        ["scope", { stream: "a", all: true }],
        ["options", null],
        ["all", { all: false }],
        ["stream", { stream: "" }],
        ["stream", { stream: 1 }],
        ["streams", { streams: [] }],
        ["streams", { streams: "a" }],
        ["streams[1]", { streams: ["a", "\ud800"] }],
        ["prefix", { prefix: 1 }],
        ["prefix", { prefix: "\ud800" }],
        ["steam", { steam: "a" }],
        ["asOf", { stream: "a", asOf: {} }],
        ["asOf", { stream: "a", asOf: { seq: 1, position: 1 } }],
        ["options", { stream: "a", asOf: 3 }],
        ["when", { stream: "a", asOf: { when: 3 } }],
        ["asOf.seq", { stream: "a", asOf: { seq: -1 } }],
        ["asOf.seq", { all: true, asOf: { seq: 1 } }],
        ["asOf.seq", { streams: ["a", "b"], asOf: { seq: 1 } }],
        ["asOf.seq", { stream: "a", asOf: { seq: 2 } }],
        ["asOf.seq", { stream: "nowhere", asOf: { seq: 1 } }],
        ["asOf.position", { all: true, asOf: { position: 0.5 } }],
        ["asOf.at", { all: true, asOf: { at: "today" } }],
        ["allowTruncated", { all: true, allowTruncated: 1 }]
      ]
      for (const [field, options] of wrong) {
        const fault = yield* refused(project(store, sum, options as Scope)) // As JavaScript could call it.
        assert.strictEqual(fault.field, field, JSON.stringify(options))
      }
    }))

  it.effect("waits for a position the store hasn't come to, and says when it can't be had", () =>
    Effect.gen(function*() {
      const { backend } = yield* memoryStore
      const store = yield* makeStore(backend, { atLeastWithin: 0 })
      yield* append(store, "a", 1)
      const live = Effect.flip(project(store, sum, { all: true, asOf: { position: 2 } }))
      assert.strictEqual((yield* live)._tag, "Unavailable")
      yield* append(store, "a", 1)
      assert.strictEqual((yield* project(store, sum, { all: true, asOf: { position: 2 } })).replayed, 2)
    }))
})
