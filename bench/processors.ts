/**
 * Processors of one runner catching up: what many of them, and many partitions, cost beside one.
 * Run: `node --conditions=source bench/processors.ts [events] [rounds]`.
 */
import { make as makeMemory } from "@persist/backend-memory"
import { make as makeSqlite } from "@persist/backend-sqlite"
import { type BackendShape, Catalogue, makeStore, type Position, type StoreShape } from "@persist/core"
import { reaction, run, whenProcessed } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { median } from "./harness/statistics.ts"

const total = Number(process.argv[2] ?? 100_000)
const rounds = Number(process.argv[3] ?? 3)

const Counted = Catalogue.make({ Counted: Schema.Struct({ n: Schema.Int }) })

const fill = Effect.fnUntraced(function*(store: StoreShape) {
  const log = store.log(Counted)
  for (let at = 0; at < total; at += 1000) {
    yield* store.commit(Array.from({ length: 10 }, (_each, s) =>
      log.ops.append(
        `order-${(at / 100 + s) % 1000}`,
        Array.from({ length: 100 }, (_, n) => ({ type: "Counted" as const, data: { n } })),
        { expected: "any" }
      )))
  }
  return yield* store.head
})

/** How many processors, of how many partitions each. */
const shapes = [[1, 1], [1, 16], [16, 1], [40, 1]] as const

const catchUp = Effect.fnUntraced(function*(
  store: StoreShape,
  head: Position,
  [processors, partitions]: (typeof shapes)[number],
  round: number
) {
  const all = Array.from({ length: processors }, (_, i) =>
    reaction({
      name: `${processors}x${partitions}-${i}-${round}`,
      events: Counted,
      partitions,
      handle: () => Effect.succeed([])
    }))
  const started = performance.now()
  yield* Effect.raceFirst(
    run(store, all),
    Effect.forEach(all, (one) => whenProcessed(store, one, head, { within: 600_000 }), { discard: true })
  )
  return performance.now() - started
})

const measure = Effect.fnUntraced(function*(name: string, backend: BackendShape) {
  const store = yield* makeStore(backend)
  const head = yield* fill(store)
  const taken = shapes.map((): Array<number> => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, shape] of shapes.entries()) taken[i]?.push(yield* catchUp(store, head, shape, round))
  }
  const alone = median(taken[0] ?? [])
  for (const [i, [processors, partitions]] of shapes.entries()) {
    const millis = median(taken[i] ?? [])
    const rate = Math.round(total / millis * 1000).toLocaleString("en-US")
    const cost = (millis / alone).toFixed(1)
    console.log(
      `${name}  ${processors} of ${partitions} partitions: ${rate} events/s of the log, ${cost} times one alone`
    )
  }
})

const directory = mkdtempSync(join(tmpdir(), "persist-bench-"))
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  yield* measure("memory", yield* makeMemory())
  yield* measure("sqlite", yield* makeSqlite({ path: join(directory, "bench.db") }))
}))).finally(() => rmSync(directory, { recursive: true, force: true }))
