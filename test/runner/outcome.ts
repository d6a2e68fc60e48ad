/** What came of the events under several processes, and whether that is what a replay would make. */
import { assert } from "@effect/vitest"
import { live, type StoreShape } from "@persist/core"
import { leases } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { existsSync, readFileSync } from "node:fs"
import { totals, turnsOf, Woken } from "./orders.ts"
import type { Sums } from "./sums.ts"

/** How many events each of so many streams has had. */
export interface Expected {
  readonly streams: number
  readonly each: number
}

/** How many leases are held: every partition has one where all are shared out. */
export const leaseCount = (store: StoreShape) =>
  Effect.map(Stream.runCollect(leases(store).scan()), ({ length }) => length)

/** Every event was counted once by the reaction, in order. */
export const allCounted = (store: StoreShape, { each, streams }: Expected) =>
  Effect.map(
    Stream.runCollect(totals(store).scan()),
    (entries) => entries.length === streams && entries.every(({ value }) => value.count === each)
  )

/** Every event was counted once in the table, in order. */
export const allSummed = (sums: Sums, { each, streams }: Expected) =>
  Effect.map(sums.read, (all) => all.size === streams && Array.from(all.values()).every((count) => count === each))

/** Every event was counted once by the version of the read model that is live, which is this one. */
export const allShown = Effect.fnUntraced(function*(store: StoreShape, version: number, { each, streams }: Expected) {
  const current = yield* live(store, [turnsOf(1), turnsOf(2)])
  const states = yield* Stream.runCollect(current.kv(store).scan())
  return current.version === version && states.length === streams &&
    states.every(({ value }) => value.count === each * version)
})

/** The workflow of every stream was woken by its timer, which appended one event. */
export const allWoken = (store: StoreShape, { streams }: Expected) =>
  Effect.map(
    Stream.runCollect(store.log(Woken).streams({ prefix: "woken-" })),
    (found) => found.length === streams && found.every(({ last }) => last === 1)
  )

const linesOf = (path: string): ReadonlyArray<string> =>
  existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : []

/** Of how many streams the last event was told. */
export const lastTold = (seen: string, each: number): number =>
  new Set(
    linesOf(seen).flatMap((line) => {
      const [stream, n] = line.split(" ")
      return Number(n) === each ? [stream] : []
    })
  ).size

/** Each event was told of, and of each stream every one for the first time in its turn. Answers how many came again. */
export const checkTold = (seen: string, { each, streams }: Expected): number => {
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
