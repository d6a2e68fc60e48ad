/** Feeds the shop: deliveries come, and customers order, pay, pay too late, cancel or forget. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { Schema, type StoreShape } from "persist/effect"
import { cancel, pay, place, receive } from "./commands.ts"
import { nameOf, wish } from "./demand.ts"
import { totalOf } from "./events.ts"

/** How much, and in which way. */
export interface FillOptions {
  readonly orders: number
  /** Makes up the demand: letters, digits and the like, since orders are named by it. */
  readonly seed: string
  /** Milliseconds that a customer has to pay in. */
  readonly payWithin: number
  /** Customers at a time. */
  readonly concurrency?: number
}

/** What came of it. */
export interface Filled {
  readonly orders: number
  /** Commands that were carried out before, by a run that was cut off. */
  readonly repeated: number
  /** Payments and cancellations that came too late. */
  readonly refused: number
}

// A delivery comes for so many customers at a time, and there are at least so many deliveries.
const customersPerDelivery = 500
const fewestDeliveries = 10

// Less than is asked for: somebody is always disappointed.
const supply = 0.8

const demandOf = ({ orders, seed }: FillOptions): ReadonlyMap<string, number> => {
  const demand = new Map<string, number>()
  for (let n = 0; n < orders; n++) {
    for (const { product, quantity } of wish(seed, orders, n).placing.lines) {
      demand.set(product, (demand.get(product) ?? 0) + quantity)
    }
  }
  return demand
}

/**
 * Fills the shop. Whoever is cut off starts it again: it goes on with the delivery that it was at, and since every
 * command has an id that follows from the order's, what was done of it isn't done twice. Another seed, or another
 * number of orders, is another demand, on top of those before.
 */
export const fill = Effect.fnUntraced(function*(store: StoreShape, options: FillOptions) {
  const { concurrency = 32, orders, payWithin, seed } = options
  const demand = demandOf(options)
  const name = nameOf(seed, orders)
  const deliveries = Math.max(fewestDeliveries, Math.ceil(orders / customersPerDelivery))
  const done = store.kv("filled", Schema.Natural)
  const counts = { orders, repeated: 0, refused: 0 }
  const late: Array<Fiber.Fiber<void, Effect.Error<ReturnType<typeof pay>>>> = []

  const deliver = (delivery: number) =>
    Effect.forEach(
      demand,
      ([product, pieces]) =>
        receive(store, `${name}/${delivery}/${product}`, product, Math.ceil(pieces * supply / deliveries)),
      { concurrency, discard: true }
    )

  const count = (asked: ReturnType<typeof place>) =>
    asked.pipe(
      Effect.map(({ repeated }) => {
        if (repeated) counts.repeated++
      }),
      Effect.catchTag("Refused", () =>
        Effect.sync(() => {
          counts.refused++
        }))
    )

  const serve = Effect.fnUntraced(function*(n: number) {
    const { intent, placing } = wish(seed, orders, n)
    yield* count(place(store, { ...placing, payWithin }))
    const paying = count(pay(store, placing.order, totalOf(placing.lines)))
    if (intent === "cancel") yield* count(cancel(store, placing.order))
    if (intent === "pay") yield* paying
    // Others don't wait for whoever pays as time runs out.
    if (intent === "pay late") late.push(yield* Effect.forkScoped(Effect.delay(paying, payWithin)))
  })

  const before = Option.getOrElse(yield* done.get(name), () => 0)
  for (let delivery = before; delivery < deliveries; delivery++) {
    yield* deliver(delivery)
    const from = Math.floor(orders * delivery / deliveries)
    const end = Math.floor(orders * (delivery + 1) / deliveries)
    yield* Effect.forEach(Array.from({ length: end - from }, (_, i) => from + i), serve, { concurrency, discard: true })
    yield* done.put(name, delivery + 1)
  }
  yield* Fiber.joinAll(late)
  return counts
})
