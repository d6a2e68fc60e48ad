/** What makes a processor healthy or not, case by case, of what runners and operators have left in the store. */
import { assert, describe, it } from "@effect/vitest"
import type { StoreError } from "@persist/core"
import { checkpoints } from "@persist/core/checkpoint"
import { health, type ProcessorHealth } from "@persist/runner"
import { knownProcessors, leases, type PartitionReport, runners } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { newStore } from "./orders.ts"

const patience = 1000

interface Case {
  readonly partitions?: number
  readonly incarnation?: string
  readonly report?: Partial<PartitionReport>
  /** Milliseconds that the runner has been silent. */
  readonly silent?: number
  /** Whether its partition was ever registered, and has its lease. */
  readonly begun?: boolean
}

/** The health of a processor of which a runner has said this, and nothing else happened. */
const healthOf = Effect.fnUntraced(function*(
  { begun = true, incarnation, partitions = 1, report = {}, silent = 0 }: Case
): Effect.fn.Return<ProcessorHealth | undefined, StoreError, Scope> {
  const store = yield* newStore
  yield* knownProcessors(store).put("p", { partitions, kind: "reaction", guarantee: "exactly once" })
  const reader = partitions === 1 ? "p" : "p#0"
  const said: PartitionReport = { reader, state: "running", position: 0, handled: 0, rate: 0, ...report }
  yield* runners(store).put("r", { label: "r", startedAt: 0, patience, processors: ["p"], partitions: [said] })
  if (begun) {
    const kept = { position: 0, incarnation: incarnation ?? store.about.incarnation, prefix: "" }
    yield* checkpoints(store).put(reader, kept)
    yield* leases(store).put(reader, { runner: "r", since: 0 })
  }
  yield* TestClock.adjust(silent)
  return (yield* health(store)).processors[0]
})

const cases: ReadonlyArray<readonly [string, Case, boolean]> = [
  ["that runs is", {}, true],
  ["whose runner is silent for less than its patience is", { silent: patience - 1 }, true],
  ["whose runner is silent for its patience isn't", { silent: patience }, false],
  ["of which a partition isn't there isn't", { partitions: 2 }, false],
  ["that tries something again isn't", { report: { state: "retrying" } }, false],
  ["that was stopped isn't", { report: { state: "stopped" } }, false],
  ["that hangs isn't", { report: { hangs: true } }, false],
  ["whose checkpoint belongs to another history isn't", { incarnation: "another" }, false]
]

describe("a processor is healthy or not: one", () => {
  for (const [name, given, expected] of cases) {
    it.effect(name, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* healthOf(given))?.healthy, expected)
      }))
  }
})

describe("a partition", () => {
  it.effect("has had the same in hand for as long as its runner said, and has been silent since", () =>
    Effect.gen(function*() {
      const found = yield* healthOf({ report: { busyFor: 300 }, silent: 50 })
      assert.strictEqual(found?.partitions[0]?.busyFor, 350)
    }))

  it.effect("that can't be begun is stopped for as long as the runner that says so is alive", () =>
    Effect.gen(function*() {
      const refused: Case = { begun: false, report: { state: "stopped" } }
      assert.deepStrictEqual((yield* healthOf(refused))?.partitions.map(({ state }) => state), ["stopped"])
      assert.deepStrictEqual((yield* healthOf({ ...refused, silent: patience }))?.partitions, [])
    }))
})
