/** What can be put around an append of persist, each beside the bare one, one after another. */
import { Catalogue } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { randomUUID } from "node:crypto"
import { Schema, type Store } from "persist"
import { orderOf, placed } from "../payload.ts"
import { byEffect } from "./persist-log.ts"
import type { Extra } from "./side.ts"

const orders = Catalogue.make({
  [placed]: Schema.Struct({
    order: Schema.String,
    customer: Schema.String,
    total: Schema.Int,
    sent: Schema.Finite,
    lines: Schema.Array(Schema.Struct({ sku: Schema.String, n: Schema.Int }))
  })
})

const repeat = (call: (n: number) => Promise<unknown>): Extra["bare"] => async (calls) => {
  for (let n = 0; n < calls; n++) await call(n)
}

const eventOf = (n: number) => ({ type: placed, data: orderOf(n) }) as const

const streamOf = (n: number) => `order-${n % 1000}`

/** Takes in every span, as an exporter does, and lets go of it. */
const tracer = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })

const any = { expected: "any" } as const

/** Appends through Effect, one after another in one fiber; with a tracer each in a span that its event carries. */
const traced = (store: Store): Extra => {
  const log = store.effect.log()
  const append = byEffect((n: number) => log.append(streamOf(n), eventOf(n), any))
  const span = byEffect((n: number) => Effect.withTracer(log.append(streamOf(n), eventOf(n), any), tracer))
  return { bare: (calls) => append(1, calls, (_client, n) => n), more: (calls) => span(1, calls, (_client, n) => n) }
}

/** Appends by what is around them; the others than the traced ones through Promises. */
export const extrasOf = (store: Store): Readonly<Record<string, Extra>> => {
  const log = store.log()
  const checked = store.log(orders)
  let last = 0
  const bare = repeat((n) => log.append(streamOf(n), eventOf(n), any))
  const more = {
    catalogue: repeat((n) => checked.append(streamOf(n), eventOf(n), any)),
    id: repeat((n) => log.append(streamOf(n), eventOf(n), { ...any, id: randomUUID() })),
    cause: repeat((n) => {
      const meta = { correlationId: "order-7/1", causationId: `order-${n}/1` }
      return log.append(streamOf(n), { ...eventOf(n), meta }, any)
    }),
    "event-id": repeat((n) => log.append(streamOf(n), { ...eventOf(n), id: randomUUID() }, any)),
    expected: repeat(async (n) => await log.append("expecting", eventOf(n), { expected: last++ }))
  }
  const pairs = Object.entries(more).map(([name, calls]) => [name, { bare, more: calls }] as const)
  return { ...Object.fromEntries(pairs), tracing: traced(store) }
}
