/** Runners in several processes of which one after the other is killed, stopped for a while, or asked to leave. */
import { assert } from "@effect/vitest"
import { makeStore, type StoreShape } from "@persist/core"
import { leases } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openUrl } from "persist/effect"
import { type Child, startChild } from "../backend-sqlite/child.ts"
import { makeDice } from "../crash/dice.ts"
import { fill, totals } from "./orders.ts"
import { type Sums, sumsAt } from "./sums.ts"
import { until } from "./until.ts"

/** How much havoc, and on which store. */
export interface HavocOptions {
  /** A store that several processes may write. */
  readonly url: string
  readonly runners: number
  readonly partitions: number
  readonly streams: number
  /**
   * Whether there is to be one more blow; between two of them every stream gets a few events, and what the last one hit
   * may recover.
   */
  readonly more: (blow: number, so: Havoc) => boolean
  readonly seed: string
}

/** What happened. */
export interface Havoc {
  readonly events: number
  readonly killed: number
  readonly stopped: number
  readonly left: number
  /** Events that the handler without a transaction was given more than once. */
  readonly again: number
}

const patience = 1000

interface Running {
  child: Child
  readonly label: string
}

const start = (options: HavocOptions, label: string, seen: string) =>
  Effect.gen(function*() {
    const child = yield* startChild("../../runner/child/runner.ts", [
      options.url,
      label,
      String(options.partitions),
      String(patience),
      seen
    ])
    yield* child.line
    yield* child.go
    return child
  })

const signal = (child: Child, name: NodeJS.Signals) => Effect.sync(() => process.kill(child.pid, name))

/** How many partitions each runner has, by the leases. */
const isShared = (store: StoreShape, partitions: number) =>
  Effect.map(Stream.runCollect(leases(store).scan()), ({ length }) => length === partitions)

/** Every event was counted once in the table, in order. */
const allSummed = (sums: Sums, streams: number, each: number) =>
  Effect.map(sums.read, (all) => all.size === streams && Array.from(all.values()).every((count) => count === each))

const allCounted = (store: StoreShape, streams: number, each: number) =>
  Effect.map(
    Stream.runCollect(totals(store).scan()),
    (entries) => entries.length === streams && entries.every(({ value }) => value.count === each)
  )

const linesOf = (path: string): ReadonlyArray<string> =>
  existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : []

/** Of how many streams the last event was told. */
const lastTold = (seen: string, each: number): number =>
  new Set(
    linesOf(seen).flatMap((line) => {
      const [stream, n] = line.split(" ")
      return Number(n) === each ? [stream] : []
    })
  ).size

/** Each event was told of, and of each stream every one for the first time in its turn. Answers how many came again. */
const checkTold = (seen: string, streams: number, each: number): number => {
  const last = new Map<string, number>()
  const lines = linesOf(seen)
  for (const line of lines) {
    const [stream = "", n = ""] = line.split(" ")
    const before = last.get(stream) ?? 0
    assert.isAtMost(Number(n), before + 1, `${line} comes after ${before}`)
    last.set(stream, Math.max(before, Number(n)))
  }
  assert.strictEqual(last.size, streams)
  for (const [stream, n] of last) assert.strictEqual(n, each, stream)
  return lines.length - streams * each
}

/** Wreaks havoc, and checks that every event took effect once, in order, and was told of at least once. */
export const wreak = Effect.fnUntraced(function*(options: HavocOptions) {
  const { more, partitions, runners, seed, streams, url } = options
  const dice = makeDice(seed)
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "persist-havoc-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const seen = join(directory, "seen")
  const store = yield* makeStore(yield* openUrl(url))
  const sums = sumsAt(url)
  if (sums !== undefined) yield* sums.create
  const crew: Array<Running> = []
  for (let n = 0; n < runners; n++) crew.push({ label: `r${n}`, child: yield* start(options, `r${n}`, seen) })
  const counts = { killed: 0, stopped: 0, left: 0 }
  let each = 0
  for (let blow = 0; more(blow, { ...counts, events: streams * each, again: 0 }); blow++) {
    const victim = crew[dice.below(crew.length)]
    if (victim === undefined) throw new Error("there is nobody to hit")
    const filling = yield* Effect.forkChild(fill(store, streams, 5, each + 1))
    each += 5
    const how = dice.pick(["killed", "stopped", "left"] as const)
    counts[how]++
    if (how === "stopped") {
      yield* signal(victim.child, "SIGSTOP")
      // Others have what it had before it wakes up, and it then tries to go on; but where it was stopped with the
      // store's own lock in its hands, nobody can do anything until then.
      yield* Effect.timeoutOption(
        Effect.andThen(Fiber.join(filling), until(allCounted(store, streams, each))),
        patience * 8
      )
      yield* signal(victim.child, "SIGCONT")
      yield* Fiber.join(filling)
    } else {
      yield* how === "killed" ? victim.child.kill : Effect.andThen(signal(victim.child, "SIGTERM"), victim.child.ended)
      victim.child = yield* start(options, victim.label, seen)
      yield* Fiber.join(filling)
    }
  }
  yield* until(allCounted(store, streams, each))
  yield* until(isShared(store, partitions * (sums === undefined ? 2 : 3)))
  if (sums !== undefined) yield* until(allSummed(sums, streams, each))
  // What was told twice makes no line for what wasn't told yet.
  yield* until(Effect.sync(() => lastTold(seen, each) === streams))
  return { ...counts, events: streams * each, again: checkTold(seen, streams, each) } satisfies Havoc
})
