/** What can be put around an append of persist, each beside the bare one; through Promises, one after another. */
import { Catalogue } from "@persist/core"
import { randomUUID } from "node:crypto"
import { Schema, type Store } from "persist"
import { orderOf, placed } from "../payload.ts"

const orders = Catalogue.make({
  [placed]: Schema.Struct({
    order: Schema.String,
    customer: Schema.String,
    total: Schema.Int,
    sent: Schema.Finite,
    lines: Schema.Array(Schema.Struct({ sku: Schema.String, n: Schema.Int }))
  })
})

/** Appends so many events one after another. */
export type Appends = (calls: number) => Promise<void>

const repeat = (call: (n: number) => Promise<unknown>): Appends => async (calls) => {
  for (let n = 0; n < calls; n++) await call(n)
}

const eventOf = (n: number) => ({ type: placed, data: orderOf(n) }) as const

const streamOf = (n: number) => `order-${n % 1000}`

/** Appends by what is around them; `bare` is the one they are held against. */
export const extrasOf = (store: Store): Readonly<Record<string, Appends>> => {
  const log = store.log()
  const checked = store.log(orders)
  let last = 0
  return {
    bare: repeat((n) => log.append(streamOf(n), eventOf(n), { expected: "any" })),
    catalogue: repeat((n) => checked.append(streamOf(n), eventOf(n), { expected: "any" })),
    id: repeat((n) => log.append(streamOf(n), eventOf(n), { expected: "any", id: randomUUID() })),
    cause: repeat((n) => {
      const meta = { correlationId: "order-7/1", causationId: `order-${n}/1` }
      return log.append(streamOf(n), { ...eventOf(n), meta }, { expected: "any" })
    }),
    "event-id": repeat((n) => log.append(streamOf(n), { ...eventOf(n), id: randomUUID() }, { expected: "any" })),
    expected: repeat(async (n) => await log.append("expecting", eventOf(n), { expected: last++ }))
  }
}
