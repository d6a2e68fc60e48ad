/** Queries: which index serves them, what they read for a page, and what comes between their reads. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import {
  type BackendError,
  type BackendShape,
  Catalogue,
  catchUp,
  type EventOf,
  makeStore,
  query,
  ReadModel,
  type StoreShape
} from "@persist/core"
import { pageSize } from "@persist/core/pages"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const Order = Schema.Struct({
  customer: Schema.String,
  state: Schema.Literals(["open", "paid"]),
  at: Schema.Int,
  email: Schema.NullOr(Schema.String)
})
type Order = typeof Order.Type
const Events = Catalogue.make({ Is: Order })

const orders = ReadModel.make({
  name: "orders",
  version: 1,
  events: Events,
  keys: ({ stream }: EventOf<typeof Events>) => stream,
  seed: (): Order => ({ customer: "", state: "open", at: 0, email: null }),
  step: (_, { data }) => data,
  value: Order,
  indexes: {
    byAt: { on: ["at"] },
    byCustomer: { on: ["customer", "at"] },
    byEmail: { on: ["email"], unique: true },
    byState: { on: ["state", "customer", "at"] }
  }
})

// Counts what the backend gives of keys, and lets something happen before each call that gives them.
const counted = (backend: BackendShape) => {
  const counts = { calls: 0, entries: 0 }
  const happenings: Array<Effect.Effect<unknown, unknown>> = []
  const count = (given: ReadonlyArray<unknown>) =>
    Effect.sync(() => {
      counts.calls++
      counts.entries += given.length
    })
  const after = <A>(read: Effect.Effect<ReadonlyArray<A>, BackendError>) =>
    Effect.suspend(() => Effect.andThen(Effect.orDie(happenings.shift() ?? Effect.void), Effect.tap(read, count)))
  return {
    counts,
    happenings,
    backend: {
      ...backend,
      scan: (range) => after(backend.scan(range)),
      get: (keys) => after(backend.get(keys))
    } satisfies BackendShape
  }
}

const tell = (store: StoreShape, all: ReadonlyArray<readonly [key: string, order: Order]>) =>
  Effect.andThen(
    store.commit(
      all.map(([key, data]) => store.log(Events).ops.append(key, [{ type: "Is", data }], { expected: "any" }))
    ),
    catchUp(store, orders)
  )

const order = (customer: string, at: number, more: Partial<Order> = {}): Order => ({
  customer,
  state: "open",
  at,
  email: null,
  ...more
})

const opened = Effect.gen(function*() {
  const backend = yield* makeMemory()
  const spied = counted(backend)
  return { ...spied, store: yield* makeStore(backend), spied: yield* makeStore(spied.backend) }
})

const many = Array.from({ length: 300 }, (_, n) => [`o${n}`, order(`c${n % 10}`, n)] as const)

describe("a query", () => {
  it.effect("is served by the index with the most equalities, then the order, then a range", () =>
    Effect.gen(function*() {
      const { store } = yield* opened
      const customer = { eq: "c" } as const
      const served: ReadonlyArray<readonly [Parameters<typeof ask>[0], string | undefined]> = [
        [{}, undefined],
        [{ where: { customer } }, "byCustomer"],
        [{ where: { customer, state: { eq: "open" } } }, "byState"],
        [{ where: { customer, state: { ne: "open" } } }, "byCustomer"],
        [{ where: { at: { gt: 5 } } }, "byAt"],
        [{ where: { customer: { startsWith: "c" } } }, "byCustomer"],
        [{ where: { customer: { contains: "c" } } }, undefined],
        [{ sort: [{ field: "at" }] }, "byAt"],
        [{ where: { state: { eq: "open" } }, sort: [{ field: "at" }] }, "byState"],
        [{ where: { customer }, sort: [{ field: "at", order: "desc" }] }, "byCustomer"],
        [{ where: { customer, email: { eq: null } }, sort: [{ field: "at" }] }, "byCustomer"],
        [{ where: { customer, email: { eq: "e" } }, sort: [{ field: "at" }] }, "byEmail"],
        [{ where: { email: { gte: "a" }, at: { gte: 5 } }, sort: [{ field: "at" }] }, "byAt"]
      ]
      const ask = (asked: NonNullable<Parameters<typeof query<typeof Events, Order>>[2]>) => query(store, orders, asked)
      for (const [asked, index] of served) assert.strictEqual((yield* ask(asked)).index, index, JSON.stringify(asked))
    }))

  it.effect("by an index reads the entries of its page, one more, their states and the checkpoint", () =>
    Effect.gen(function*() {
      const { counts, spied, store } = yield* opened
      yield* tell(store, many)
      const page = yield* query(spied, orders, {
        where: { customer: { eq: "c3" } },
        sort: [{ field: "at", order: "desc" }],
        limit: 5
      })
      assert.deepStrictEqual(page.items.map(({ key }) => key), ["o293", "o283", "o273", "o263", "o253"])
      assert.strictEqual(page.scanned, 5)
      assert.deepStrictEqual(counts, { calls: 2, entries: 6 + 6 })
    }))

  it.effect("that an index serves in part reads on until the page is full, and says how far it looked", () =>
    Effect.gen(function*() {
      const { store } = yield* opened
      yield* tell(store, many)
      const asked = { where: { customer: { eq: "c3" }, at: { gte: 200 }, state: { eq: "paid" } } } as const
      assert.deepInclude(yield* query(store, orders, asked), { items: [], next: undefined })
      yield* tell(store, [["o293", order("c3", 293, { state: "paid" })]])
      const rare = { where: { customer: { eq: "c3" }, email: { ne: "x" }, at: { ne: 3 } }, limit: 3 } as const
      const page = yield* query(store, orders, rare)
      assert.deepStrictEqual([page.items.map(({ key }) => key), page.scanned], [["o13", "o23", "o33"], 4])
      assert.strictEqual((yield* query(store, orders, { where: { email: { contains: "x" } } })).scanned, 300)
    }))

  it.effect("shows a key once on a page, though it moves on before the end of it", () =>
    Effect.gen(function*() {
      const { happenings, spied, store } = yield* opened
      yield* tell(store, many.slice(0, 8).map(([key], n) => [key, order("c", n * 10)]))
      // The one's entry is read, but not its state; the other's are both, and then comes the next stretch.
      happenings.push(Effect.void, tell(store, [["o0", order("c", 500)]]), tell(store, [["o1", order("c", 35)]]))
      const page = yield* query(spied, orders, { where: { customer: { eq: "c" } }, limit: 4 })
      assert.deepStrictEqual(happenings, [])
      assert.deepStrictEqual(page.items.map(({ key, value }) => [key, value.at]), [
        ["o1", 10],
        ["o2", 20],
        ["o3", 30],
        ["o4", 40]
      ])
      const next = yield* query(store, orders, { where: { customer: { eq: "c" } }, limit: 9, after: page.next })
      assert.deepStrictEqual(next.items.map(({ key }) => key), ["o5", "o6", "o7", "o0"])
    }))

  it.effect("goes on over any cursor of its own, and none that was made up leads out of its range", () =>
    Effect.gen(function*() {
      const { store } = yield* opened
      yield* tell(store, many.slice(0, 30))
      const asked = { where: { customer: { eq: "c3" } }, limit: 1 } as const
      const { next = "" } = yield* query(store, orders, asked)
      const [fingerprint] = JSON.parse(Buffer.from(next, "base64url").toString())
      const made = (...parts: ReadonlyArray<string>) => Buffer.from(JSON.stringify(parts)).toString("base64url")
      const low = yield* query(store, orders, { ...asked, after: made(fingerprint, "0") })
      assert.deepStrictEqual(low.items.map(({ key }) => key), ["o3"])
      const high = yield* query(store, orders, { ...asked, after: made(fingerprint, "z") })
      assert.deepStrictEqual(high, { items: [], next: undefined, index: "byCustomer", scanned: 0 })
      for (const after of [made(fingerprint), made(fingerprint, "a", "b"), made("x", "0"), "%", "e30"]) {
        assert.deepInclude(yield* Effect.flip(query(store, orders, { ...asked, after })), {
          _tag: "Invalid",
          field: "after"
        })
      }
    }))

  it.effect("in the other direction takes no cursor of this one", () =>
    Effect.gen(function*() {
      const { store } = yield* opened
      yield* tell(store, many.slice(0, 30))
      const inOrder = (at: "asc" | "desc", after?: string) =>
        query(store, orders, { sort: [{ field: "state" }, { field: "at", order: at }], limit: 1, after })
      const { next } = yield* inOrder("asc")
      assert.isDefined(next)
      assert.deepInclude(yield* Effect.flip(inOrder("desc", next)), { _tag: "Invalid", field: "after" })
    }))

  it.effect("that has to sort looks at every state, also where they fill the page that is read", () =>
    Effect.gen(function*() {
      const { store } = yield* opened
      yield* tell(store, Array.from({ length: pageSize }, (_, i) => [`o${i}`, order("c", pageSize - i)]))
      const asked = { sort: [{ field: "state" }, { field: "at" }], limit: 1 } as const
      const { index, items } = yield* query(store, orders, asked)
      assert.deepStrictEqual([index, items[0]?.value.at], [undefined, 1])
    }))
})
