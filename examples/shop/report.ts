/** What the owner of the shop looks at in the evening: all of it from read models, none by reading the log. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { query, type StoreShape } from "persist/effect"
import { invoices, Shop } from "./events.ts"
import { orderList, sales, stock, timeline } from "./read-models.ts"

const euros = (cents: number): string => (cents / 100).toFixed(2).padStart(12)
const count = (n: number): string => String(n).padStart(8)

const perMonth = Effect.fnUntraced(function*(store: StoreShape) {
  const months = new Map<string, { pieces: number; cents: number }>()
  yield* Stream.runForEach(sales.kv(store).scan(), ({ value: { cents, day, pieces } }) =>
    Effect.sync(() => {
      const month = months.get(day.slice(0, 7)) ?? { pieces: 0, cents: 0 }
      months.set(day.slice(0, 7), { pieces: month.pieces + pieces, cents: month.cents + cents })
    }))
  return Array.from(months, ([month, { cents, pieces }]) => `${month}   ${count(pieces)} pieces ${euros(cents)} EUR`)
})

const lastDay = Effect.fnUntraced(function*(store: StoreShape) {
  const [last] = yield* Stream.runCollect(sales.kv(store).scan({ reverse: true, limit: 1 }))
  if (last === undefined) return []
  const { day } = last.value
  const entries = yield* Stream.runCollect(sales.kv(store).scan({ prefix: `${day}/` }))
  return entries.map(({ value: { cents, pieces, product } }) =>
    `${day} ${product} ${count(pieces)} pieces ${euros(cents)} EUR`
  )
})

const byState = (store: StoreShape, state: "placed" | "paid" | "shipped" | "cancelled") =>
  Effect.map(
    query(store, orderList, { where: { state: { eq: state } }, sort: [{ field: "cents", order: "desc" }], limit: 3 }),
    ({ items }) => items.map(({ key, value }) => `${state.padEnd(10)} ${key} ${euros(value.cents)} EUR`)
  )

const scarce = (store: StoreShape) =>
  Effect.map(
    query(store, stock, { sort: [{ field: "onHand", order: "asc" }], limit: 5 }),
    ({ items }) =>
      items.map(({ key, value: { onHand, received, reserved, shipped } }) =>
        `${key} ${count(received)} received ${count(onHand)} on hand ${count(reserved)} reserved ${
          count(shipped)
        } shipped`
      )
  )

const lastInvoices = (store: StoreShape) =>
  Effect.map(
    Stream.runCollect(store.log(Shop.only("InvoiceIssued")).read(invoices, { reverse: true, limit: 3 })),
    (issued) =>
      issued.map(({ data: { cents, order }, seq }) => `${String(seq).padStart(6)} ${order} ${euros(cents)} EUR`)
  )

const timelineOf = (store: StoreShape, customer: string) =>
  Effect.map(
    Stream.runCollect(timeline.kv(store).scan({ prefix: `${customer}/`, limit: 8 })),
    (entries) =>
      entries.map(({ value: { at, order, what } }) => `${customer} ${new Date(at).toISOString()} ${order} ${what}`)
  )

/** The report, line by line. */
export const report = Effect.fnUntraced(function*(store: StoreShape) {
  const states = ["placed", "paid", "shipped", "cancelled"] as const
  return [
    "Sales by month",
    ...yield* perMonth(store),
    "Sales of the last day, by product",
    ...yield* lastDay(store),
    "The most valuable orders, by state",
    ...(yield* Effect.forEach(states, (state) => byState(store, state))).flat(),
    "What runs out",
    ...yield* scarce(store),
    "The last invoices",
    ...yield* lastInvoices(store),
    "What a customer has met with",
    ...yield* timelineOf(store, "customer-00000")
  ]
})
