/** What the compiler knows of indexes and queries: checked by `tsc`, never run. */
import {
  Catalogue,
  type Entry,
  type Query,
  query,
  type QueryPage,
  ReadModel,
  type StoreError,
  type StoreShape,
  strong,
  type StrongStates
} from "@persist/core"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Store } from "persist"
import { expectTypeOf } from "vitest"

declare const store: StoreShape
declare const promised: Store

const Shop = Catalogue.make({ Placed: Schema.Struct({ id: Schema.String, customer: Schema.String }) })
const CustomerId = Schema.String.pipe(Schema.brand("CustomerId"))
const Order = Schema.Struct({
  customer: CustomerId,
  email: Schema.optionalKey(Schema.String),
  state: Schema.Literals(["open", "paid"]),
  total: Schema.Finite,
  placedAt: Schema.Date,
  paidAt: Schema.NullOr(Schema.Date),
  gift: Schema.Boolean,
  lines: Schema.Array(Schema.String)
})
type Order = typeof Order.Type

const definition = {
  name: "orders",
  version: 1,
  events: Shop,
  keys: () => "k",
  seed: (): Order => {
    throw new Error("never run")
  },
  step: (order: Order) => order,
  value: Order
}

// The fields of an index are those of the state that have an order; everything is inferred.
const orders = ReadModel.make({
  ...definition,
  indexes: { byCustomer: { on: ["customer", "placedAt"] }, byEmail: { on: ["email"], unique: true } }
})
expectTypeOf(orders).toEqualTypeOf<ReadModel<typeof Shop, Order>>()

const refusedIndexes = () => [
  // @ts-expect-error: states have no such field
  ReadModel.make({ ...definition, indexes: { wrong: { on: ["custmer"] } } }),
  // @ts-expect-error: an array has no order
  ReadModel.make({ ...definition, indexes: { wrong: { on: ["lines"] } } }),
  // @ts-expect-error: an index is by something
  ReadModel.make({ ...definition, indexes: { wrong: { on: [] } } })
]
expectTypeOf(refusedIndexes).toBeFunction()

declare const customer: typeof CustomerId.Type
declare const cursor: string | undefined

const found = query(store, orders, {
  where: {
    customer: { eq: customer },
    email: { eq: undefined, startsWith: "a" },
    state: { ne: "paid" },
    total: { gte: 100, lt: 1000 },
    placedAt: { gt: new Date(0) },
    paidAt: { eq: null },
    gift: { eq: true }
  },
  sort: [{ field: "placedAt", order: "desc" }, { field: "total" }],
  limit: 20,
  after: cursor
})
expectTypeOf(found).toEqualTypeOf<Effect.Effect<QueryPage<Order>, StoreError>>()
expectTypeOf<QueryPage<Order>["items"]>().toEqualTypeOf<ReadonlyArray<Entry<Order>>>()
expectTypeOf(query(store, orders)).toEqualTypeOf<Effect.Effect<QueryPage<Order>, StoreError>>()
expectTypeOf(promised.query(orders, { where: { gift: { eq: true } } })).toEqualTypeOf<Promise<QueryPage<Order>>>()

// As of the head it is asked in the same words; the state's type follows from the model.
const reads = strong(store, orders)
expectTypeOf(reads.get("k")).toEqualTypeOf<Effect.Effect<Option.Option<Order>, StoreError>>()
expectTypeOf(reads.getMany(["k"], { tail: 5 })).toEqualTypeOf<Effect.Effect<StrongStates<Order>, StoreError>>()
expectTypeOf(reads.query({ where: { gift: { eq: true } }, tail: 5 })).toEqualTypeOf<
  Effect.Effect<QueryPage<Order>, StoreError>
>()
expectTypeOf(promised.strong(orders).get("k", { tail: 5 })).toEqualTypeOf<Promise<Order | undefined>>()
expectTypeOf(promised.strong(orders).query()).toEqualTypeOf<Promise<QueryPage<Order>>>()
const refusedReads = () => [
  // @ts-expect-error: states have no such field
  reads.query({ where: { custmer: { eq: customer } } }),
  // @ts-expect-error: no such option
  promised.strong(orders).get("k", { tial: 5 }),
  // @ts-expect-error: a read model's states are read and not written
  reads.put
]
expectTypeOf(refusedReads).toBeFunction()

const refused: ReadonlyArray<Query<Order>> = [
  // @ts-expect-error: states have no such field
  { where: { custmer: { eq: customer } } },
  // @ts-expect-error: an array has no order
  { where: { lines: { eq: [] } } },
  // @ts-expect-error: text is no customer's id
  { where: { customer: { eq: "c" } } },
  // @ts-expect-error: of these the state is none
  { where: { state: { eq: "lost" } } },
  // @ts-expect-error: no such operator
  { where: { total: { above: 5 } } },
  // @ts-expect-error: a number doesn't begin with anything
  { where: { total: { startsWith: "1" } } },
  // @ts-expect-error: a truth value is above nothing
  { where: { gift: { gt: false } } },
  // @ts-expect-error: what is null is neither above nor below
  { where: { paidAt: { lt: null } } },
  // @ts-expect-error: a field that is always there is never absent
  { where: { total: { eq: undefined } } },
  // @ts-expect-error: a value without an operator
  { where: { total: 5 } },
  // @ts-expect-error: an array has no order
  { sort: [{ field: "lines" }] },
  // @ts-expect-error: neither up nor down
  { sort: [{ field: "total", order: "up" }] }
]
expectTypeOf(refused).toEqualTypeOf<ReadonlyArray<Query<Order>>>()

// A state that is no object has no fields.
const counts = ReadModel.make({
  name: "n",
  version: 1,
  events: Shop,
  keys: () => "k",
  seed: 0,
  step: (n) => n + 1,
  value: Schema.Int
})
// @ts-expect-error: a number has no fields to filter by
expectTypeOf(query(store, counts, { where: { length: { eq: 1 } } })).toBeObject()

// What a step gives is seen by its schema: a literal is no string.
ReadModel.make({
  name: "standings",
  version: 1,
  events: Shop,
  keys: ({ data }) => data.id,
  seed: { state: "new", customer: "" },
  value: Schema.Struct({ state: Schema.Literals(["new", "placed"]), customer: Schema.String }),
  step: (order) => ({ ...order, state: "placed" })
})
