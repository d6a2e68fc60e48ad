/** Processes that race for one store while a reader follows it, and what comes of it: nothing lost, nothing twice. */
import { assert } from "@effect/vitest"
import { make } from "@persist/backend-postgres"
import { certify, fromOpen, wrapped } from "@persist/conformance"
import type { BackendError, BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { startTogether } from "../backend-sqlite/child.ts"
import { everything } from "../backend-sqlite/place.ts"
import { follow } from "./follower.ts"
import { type Met, nothingMet, recovering } from "./recovering.ts"

/** What all processes came to, added up. */
export interface Raced extends Met {
  readonly committed: number
  readonly conflicted: number
}

/** How a race is held. */
export interface RaceOptions {
  /** What the racing processes open. */
  readonly url: string
  /** What the reader opens. */
  readonly readUrl?: string
  readonly processes: number
  /** How often each of a process's two writers tries. */
  readonly rounds: number
  /** What befalls the store meanwhile. */
  readonly meanwhile: (backend: BackendShape) => Effect.Effect<unknown, BackendError>
}

/** Waits until the store has come so far. */
export const reach = (backend: BackendShape, head: number) =>
  Effect.repeat(backend.head, { until: (at) => at >= head, schedule: Schedule.spaced(10) })

const sumOf = (lines: ReadonlyArray<string>): Raced =>
  lines.map((line): Raced => JSON.parse(line)).reduce((sum, each) => ({
    committed: sum.committed + each.committed,
    conflicted: sum.conflicted + each.conflicted,
    unknown: sum.unknown + each.unknown,
    happened: sum.happened + each.happened,
    lost: sum.lost + each.lost,
    unavailable: sum.unavailable + each.unavailable
  }))

/**
 * Holds a race. Every commit that a process counted is there, once, and rested on what was there before it; and the
 * reader was given exactly that, page after page, from the start to the end.
 */
export const holdRace = Effect.fnUntraced(function*(options: RaceOptions) {
  const { meanwhile, processes, readUrl, rounds, url } = options
  const place = yield* wrapped(fromOpen("reader", make({ url: readUrl ?? url })), recovering("reader", nothingMet()))
    .place
  const backend = yield* place.open
  let ended = false
  const follower = yield* Effect.forkChild(follow(backend, () => ended))
  const children = yield* startTogether(
    processes,
    "../../backend-postgres/child/race.ts",
    (n) => [url, `process ${n}`, String(rounds)]
  )
  yield* meanwhile(backend)
  const raced = sumOf(yield* Effect.forEach(children, ({ line }) => line))
  ended = true
  const seen = yield* Fiber.join(follower)
  assert.strictEqual(yield* certify(backend), raced.committed)
  const { items } = yield* backend.readAll({ ...everything, limit: 100_000 })
  assert.deepStrictEqual(seen, items)
  assert.isAbove(raced.committed, 0)
  assert.isAbove(raced.conflicted, 0)
  return raced
})
