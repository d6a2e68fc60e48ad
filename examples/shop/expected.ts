/** What the read models must hold, made of the books. */
import { type Books, onHandOf, reservedOf, worthOf } from "./replay.ts"

/** States by key. */
export type States = ReadonlyMap<string, unknown>

/** The states of `stock`. */
export const stockOf = ({ products }: Books): States =>
  new Map(Array.from(products, ([product, book]) => {
    const { received, shipped } = book
    return [product, { received, onHand: onHandOf(book), reserved: reservedOf(book), shipped }]
  }))

/** The states of `orders`. */
export const ordersOf = ({ orders }: Books): States =>
  new Map(Array.from(orders, ([name, book]) => {
    const { customer, day, happened, refunded } = book
    const state = happened.findLast((what) => what !== "refunded") ?? "placed"
    return [name, { customer, day, cents: worthOf(book), state, refunded: refunded > 0 }]
  }))

/** The states of `sales`. */
export const salesOf = ({ orders }: Books): States => {
  const sold = new Map<string, { product: string; day: string; orders: number; pieces: number; cents: number }>()
  for (const { day, happened, lines } of orders.values()) {
    if (!happened.includes("shipped")) continue
    for (const [product, pieces, cents] of lines) {
      const key = `${day}/${product}`
      const before = sold.get(key) ?? { product, day, orders: 0, pieces: 0, cents: 0 }
      before.orders++
      before.pieces += pieces
      before.cents += pieces * cents
      sold.set(key, before)
    }
  }
  return sold
}
