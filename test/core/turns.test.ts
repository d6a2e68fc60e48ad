/** Many reads or appends in a row of a backend that answers at once leave the event loop its turns. */
import { make as makeMemory } from "@persist/backend-memory"
import { makeStore, Seq, type StoreShape } from "@persist/core"
import { warnOfLost } from "@persist/core/event-pages"
import { post } from "@persist/core/posted"
import { origin } from "@persist/core/sequence"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { stat } from "node:fs"
import { expect, test } from "vitest"

// As a write does whose target takes everything at once, such as a file as stdout.
const written = Effect.callback<void>((resume) => {
  process.nextTick(() => resume(Effect.void))
})

const reads: ReadonlyArray<[string, (store: StoreShape) => Effect.Effect<unknown, unknown>]> = [
  ["reads", ({ engine: { backend, reading } }) => reading(undefined, backend.head)],
  ["gets", (store) => store.kv("names").get("nobody")]
]

test.each(reads)("whoever waits for the event loop has a turn before the %s have ended", async (_, read) => {
  let turned = false
  const done = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const store = yield* makeStore(yield* makeMemory())
    stat(import.meta.filename, () => {
      turned = true
    })
    for (let calls = 0; calls < 200_000; calls++) {
      if (turned) return calls
      yield* Effect.andThen(read(store), written)
    }
    return undefined
  })))
  expect(done).toBeGreaterThan(0)
})

type Get = Effect.Effect<unknown, unknown>

// In Promises each goes on when all have been told, in fibers as soon as it's told itself.
const loops: ReadonlyArray<[string, (goesOn: () => boolean, get: Get) => Effect.Effect<void, unknown>]> = [
  ["promises", (goesOn, get) =>
    Effect.promise(async () => {
      while (goesOn()) await Effect.runPromise(get)
    })],
  ["fibers", (goesOn, get) => Effect.whileLoop({ while: goesOn, body: () => get, step: () => {} })]
]

/** How often each of so many readers got a key, while `goesOn`, which is asked before each time. */
const getsOf = (readers: number, loop: (typeof loops)[number][1], goesOn: () => boolean) =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const kv = (yield* makeStore(yield* makeMemory())).kv("names")
    const gets = Array.from({ length: readers }, () => 0)
    const counted = (reader: number) => () => {
      if (!goesOn()) return false
      gets[reader] = (gets[reader] ?? 0) + 1
      return true
    }
    yield* Effect.forEach(gets, (_, reader) => loop(counted(reader), kv.get("nobody")), { concurrency: "unbounded" })
    return gets
  })))

test.each(loops)("a thousand readers in %s leave the event loop its turns", async (_, loop) => {
  const turns: Array<number> = []
  let count = 0
  const turned = () => {
    if (turns.push(count) < 5) setImmediate(turned)
  }
  await getsOf(1000, loop, () => {
    if (count === 0) setImmediate(turned)
    return turns.length < 5 && count++ < 200_000
  })
  expect(Math.max(...turns.map((one, n) => one - (turns[n - 1] ?? 0)))).toBeLessThan(5000)
})

test.each(loops)("readers in %s have equal shares", async (_, loop) => {
  let count = 0
  const gets = await getsOf(8, loop, () => count++ < 8 * 4000)
  expect(Math.min(...gets)).toBeGreaterThan(2000)
})

test("a read that is due after a turn can be run synchronously, too", () => {
  const scope = Effect.runSync(Scope.make())
  const store = Effect.runSync(Scope.provide(Effect.flatMap(makeMemory(), (backend) => makeStore(backend)), scope))
  const kv = store.kv("names")
  for (let n = 0; n < 1000; n++) expect(Effect.runSync(kv.get("nobody"))).toEqual(Option.none())
})

test("whoever waits for the event loop has a turn before the appends without a fiber have ended", async () => {
  let turned = false
  const appends = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const log = (yield* makeStore(yield* makeMemory())).log()
    stat(import.meta.filename, () => {
      turned = true
    })
    return yield* Effect.callback<number | undefined>((resume) => {
      const append = (count: number): void => {
        if (turned || count === 50_000) return resume(Effect.succeed(turned ? count : undefined))
        post(log.append("s", { type: "Counted", data: 1 }, { expected: "any" }), () => append(count + 1))
      }
      append(0)
    })
  })))
  expect(appends).toBeGreaterThan(0)
})

test("a store that was made within runSync has turns as any other", async () => {
  let turned = false
  const scope = Effect.runSync(Scope.make())
  const log = Effect.runSync(Scope.provide(Effect.flatMap(makeMemory(), (backend) => makeStore(backend)), scope)).log()
  setImmediate(() => {
    turned = true
  })
  const appends = await Effect.runPromise(Effect.callback<number | undefined>((resume) => {
    const append = (count: number): void => {
      if (turned || count === 10_000) return resume(Effect.succeed(turned ? count : undefined))
      post(log.append("s", { type: "Counted", data: 1 }, { expected: "any" }), () => append(count + 1))
    }
    append(0)
  }))
  expect(appends).toBeGreaterThan(0)
})

test("whoever looks for lost events leaves the event loop a turn after each page of names", async () => {
  let [turns, pages] = [0, 0]
  const turned = () => {
    turns++
    if (pages < 8) setImmediate(turned)
  }
  await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const backend = yield* makeMemory()
    const streams: typeof backend.streams = ({ after, limit, shortened }) =>
      Effect.sync(() => {
        expect(shortened).toBe(true)
        if (++pages === 1) setImmediate(turned)
        // The event loop had its turn between each page and the next.
        expect(turns).toBe(pages - 1)
        expect(after).toBe(pages === 1 ? undefined : String((pages - 1) * limit))
        const from = Number(after ?? 0)
        const count = pages < 8 ? limit : 0
        return Array.from({ length: count }, (_, n) => ({ stream: String(from + n + 1), first: Seq(1), last: Seq(1) }))
      })
    const store = yield* makeStore({ ...backend, streams })
    yield* store.log().append("s", { type: "T", data: null }, { expected: "any" })
    yield* warnOfLost(store, "", origin)
  })))
  expect(pages).toBe(8)
})
