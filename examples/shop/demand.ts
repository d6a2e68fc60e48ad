/** Customers as a seed makes them up: who orders what, and what becomes of it. The same seed, the same demand. */
import { hash } from "node:crypto"
import type { Placing } from "./commands.ts"
import type { Line } from "./events.ts"

/** What a customer does about an order once it's placed. */
export type Intent = "pay" | "pay late" | "cancel" | "forget"

/** An order to come. */
export interface Wish {
  readonly placing: Omit<Placing, "payWithin">
  readonly intent: Intent
}

const productsFor = (orders: number): number => Math.min(200, Math.max(5, Math.ceil(orders / 20)))

const customersFor = (orders: number): number => Math.min(20_000, Math.max(3, Math.ceil(orders / 4)))

const firstDay = Date.UTC(2026, 0, 1)
const days = 90

// Numbers from 0 to 1 that depend on the seed and the order alone, so that orders can be made in any order.
const throwsOf = (seed: string, n: number): () => number => {
  const bytes = hash("sha512", `${seed}/${n}`, "buffer")
  let at = 0
  return () => {
    const value = bytes.readUInt32BE(at) / 2 ** 32
    at += 4
    return value
  }
}

const numbered = (prefix: string, n: number): string => `${prefix}-${String(n).padStart(5, "0")}`

const intentOf = (thrown: number): Intent =>
  thrown < 0.8 ? "pay" : thrown < 0.82 ? "pay late" : thrown < 0.9 ? "cancel" : "forget"

/** What tells one demand from another: an order of one is never taken for another's. */
export const nameOf = (seed: string, orders: number): string => `${seed}-${orders}`

/** The nth order, from 0, of so many. */
export const wish = (seed: string, orders: number, n: number): Wish => {
  const next = throwsOf(seed, n)
  // A few sell well, and a few buy much.
  const skewed = (below: number) => Math.floor(below * next() ** 2)
  const lines = new Map<string, Line>()
  for (let left = 1 + Math.floor(next() * 3); left > 0; left--) {
    const product = skewed(productsFor(orders))
    const line = {
      product: numbered("product", product),
      quantity: 1 + Math.floor(next() * 4),
      cents: 199 + product * 50
    }
    lines.set(line.product, line)
  }
  return {
    placing: {
      order: numbered(`order-${nameOf(seed, orders)}`, n),
      customer: numbered("customer", skewed(customersFor(orders))),
      day: new Date(firstDay + Math.floor(n * days / orders) * 86_400_000).toISOString().slice(0, 10),
      lines: Array.from(lines.values())
    },
    intent: intentOf(next())
  }
}
