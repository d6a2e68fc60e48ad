/**
 * Subscriptions catching up: events a second into a handler and into a read model over few keys, beside the bare page
 * loop over the same backend. Run: `node --conditions=source bench/subscription.ts [events] [rounds]`.
 */
import { make as makeMemory } from "@persist/backend-memory"
import { make as makeSqlite } from "@persist/backend-sqlite"
import {
  type BackendShape,
  Catalogue,
  makeStore,
  origin,
  Position,
  ReadModel,
  rebuild,
  resetReader,
  runSubscription,
  runSubscriptionPages,
  type StoreShape,
  subscribe,
  unbounded
} from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const total = Number(process.argv[2] ?? 200_000)
const rounds = Number(process.argv[3] ?? 5)

const events = Catalogue.make({
  Ordered: Schema.Struct({ sku: Schema.String, n: Schema.Int, note: Schema.String }),
  Returned: Schema.Struct({ sku: Schema.String, n: Schema.Int })
})

const model = ReadModel.make({
  name: "stock",
  version: 1,
  events,
  value: Schema.Struct({ sold: Schema.Int, orders: Schema.Int }),
  seed: { sold: 0, orders: 0 },
  keys: (event) => event.data.sku,
  step: (state, event) => ({
    sold: state.sold + (event.type === "Ordered" ? event.data.n : -event.data.n),
    orders: state.orders + 1
  })
})

const fill = (store: StoreShape) =>
  Effect.gen(function*() {
    const log = store.log(events)
    for (let at = 0; at < total; at += 1000) {
      const ops = Array.from({ length: 10 }, (_each, s) =>
        log.ops.append(
          `order-${(at / 1000) % 100}-${s}`,
          Array.from({ length: 100 }, (_, i) =>
            i % 10 === 0
              ? { type: "Returned", data: { sku: `sku-${i % 20}`, n: 1 } } as const
              : { type: "Ordered", data: { sku: `sku-${i % 20}`, n: i, note: "gift, leave it at the door" } } as const),
          { expected: "any" }
        ))
      yield* store.commit(ops)
    }
  })

type Side = (store: StoreShape) => Effect.Effect<unknown, unknown>

/** The least that reads every event: pages from the backend, data parsed, nothing kept. */
const bare: Side = ({ engine: { backend } }) =>
  Effect.gen(function*() {
    const range = { to: Position(unbounded), prefix: "", types: undefined, limit: 1000, reverse: false }
    let page = yield* backend.readAll({ ...range, after: origin })
    while (page.items.length > 0) {
      for (const { data } of page.items) if (typeof data === "string") JSON.parse(data)
      page = yield* backend.readAll({ ...range, after: page.through })
    }
  })

/** Runs something that never ends until it has handled all events. */
const untilAll = (
  run: (count: (events: number) => void) => Effect.Effect<unknown, unknown>
): Effect.Effect<void, unknown> =>
  Effect.gen(function*() {
    const all = yield* Deferred.make<void>()
    let left = total
    const fiber = yield* Effect.forkChild(run((count) => {
      left -= count
      if (left === 0) Deferred.doneUnsafe(all, Effect.void)
    }))
    yield* Effect.raceFirst(Deferred.await(all), Fiber.join(fiber))
    yield* Fiber.interrupt(fiber)
  })

const byEvent: Side = (store) =>
  untilAll((count) => runSubscription(store, { name: "by event", events, handle: () => Effect.sync(() => count(1)) }))

const byPage: Side = (store) =>
  untilAll((count) =>
    runSubscriptionPages(store, {
      name: "by page",
      events,
      handle: ({ items }) => Effect.sync(() => count(items.length))
    })
  )

const sides: Readonly<Record<string, Side>> = {
  "bare pages, parsed": bare,
  "log.readAll, decoded": (store) => Stream.runDrain(store.log(events).readAll()),
  "subscribe": (store) => subscribe(store, { events, from: "start" }).pipe(Stream.take(total), Stream.runDrain),
  "handler by event": byEvent,
  "handler by page": byPage,
  "read model, 20 keys": (store) => rebuild(store, model)
}

const reset = (store: StoreShape) =>
  Effect.forEach(["by event", "by page"], (name) => Effect.ignore(resetReader(store, name)))

const median = (numbers: ReadonlyArray<number>): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

const measure = Effect.fnUntraced(function*(name: string, backend: BackendShape) {
  const store = yield* makeStore(backend)
  yield* fill(store)
  const taken = new Map<string, Array<number>>()
  for (let round = 0; round < rounds; round++) {
    for (const [side, run] of Object.entries(sides)) {
      yield* reset(store)
      const start = performance.now()
      yield* run(store)
      taken.set(side, [...taken.get(side) ?? [], performance.now() - start])
    }
  }
  const rate = (side: string) => Math.round(total * 1000 / median(taken.get(side) ?? []))
  const first = rate("bare pages, parsed")
  return Object.keys(sides).map((side) => ({
    backend: name,
    side,
    "events/s": rate(side),
    "to bare": Number((rate(side) / first).toFixed(2))
  }))
})

const directory = mkdtempSync(join(tmpdir(), "persist-bench-"))
const program = Effect.gen(function*() {
  const memory = yield* measure("memory", yield* makeMemory())
  const sqlite = yield* measure("sqlite, disk", yield* makeSqlite({ path: join(directory, "store.db") }))
  console.table([...memory, ...sqlite])
})

await Effect.runPromise(Effect.scoped(program))
rmSync(directory, { recursive: true })
