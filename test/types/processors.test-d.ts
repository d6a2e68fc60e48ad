/** The types of processors with Promises: what handlers are given and answer follows from what they are made of. */
import { transactions } from "@persist/backend-sqlite"
import { subscription as effectSubscription } from "@persist/runner"
import type Database from "better-sqlite3"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { Catalogue, type Op, type Reading, ReadModel, type Running, Schema, type Store } from "persist"
import {
  compareVersions,
  type Delivery,
  type Difference,
  type Health,
  health,
  listParked,
  type ParkedEvent,
  type Processor,
  reaction,
  readModel,
  run,
  subscription,
  tables,
  workflow
} from "persist/processors"
import { expectTypeOf } from "vitest"

declare const store: Store
declare const db: Database.Database

const Cart = Catalogue.make({
  Added: Schema.Struct({ sku: Schema.String, price: Schema.Int }),
  Emptied: Schema.Struct({ why: Schema.Literals(["paid", "left"]) })
})

export const mailer = subscription({
  name: "mailer",
  events: Cart,
  types: ["Added"],
  key: (event) => event.type === "Added" ? event.data.sku : event.stream,
  handle: async (event, delivery) => {
    expectTypeOf<typeof event.type>().toEqualTypeOf<"Added" | "Emptied">()
    expectTypeOf<typeof delivery>().toEqualTypeOf<Delivery>()
    if (event.type === "Added") expectTypeOf<typeof event.data.price>().toEqualTypeOf<number>()
  }
})
expectTypeOf<typeof mailer>().toEqualTypeOf<Processor>()

// @ts-expect-error no such type of event
export const wrongType = subscription({ name: "mailer", events: Cart, types: ["Removed"], handle: () => undefined })

export const summing = reaction({
  name: "summing",
  events: Cart,
  handle: async (events) => events.map(({ stream }): Op => store.kv("carts", Schema.String).ops.put(stream, stream))
})
export const atOnce = reaction({ name: "summing", events: Cart, handle: () => [] })
// @ts-expect-error what a reaction answers is operations
export const wrongAnswer = reaction({ name: "summing", events: Cart, handle: async () => 3 })

export const keeping = tables({
  name: "keeping",
  events: Cart,
  transact: transactions({ db }),
  handle: (own, events) => {
    expectTypeOf<typeof own>().toEqualTypeOf<Database.Database>()
    expectTypeOf<(typeof events)[number]["type"]>().toEqualTypeOf<"Added" | "Emptied">()
  }
})

const model = ReadModel.make({
  name: "skus",
  version: 1,
  events: Cart,
  keys: ({ stream }) => stream,
  seed: 0,
  value: Schema.Int,
  step: (count: number) => count + 1
})

const checkout = workflow({
  name: "checkout",
  events: Cart,
  correlate: ({ stream }) => stream,
  state: Schema.Struct({ total: Schema.Int }),
  seed: { total: 0 },
  commands: Cart,
  step: (state, happened) => {
    expectTypeOf<typeof state>().toEqualTypeOf<{ readonly total: number }>()
    if (happened.type === "Added") return { state: { total: state.total + happened.data.price } }
    return { state: undefined, commands: [{ stream: "x", events: [{ type: "Added", data: { sku: "", price: 1 } }] }] }
  }
})

class Mail extends Context.Service<Mail, string>()("test/Mail") {}
const made = effectSubscription({ name: "effect", events: Cart, handle: () => Effect.void })
const needy = effectSubscription({ name: "needy", events: Cart, handle: () => Mail })

export const running = (): Running =>
  run(store, [mailer, summing, keeping, readModel(model), checkout, made], { patience: 1000 })
// @ts-expect-error nobody here provides what it needs
export const lacking = (): Running => run(store, [needy])

export const told = async (): Promise<void> => {
  const state = () => checkout.stateOf(store, "cart-1")
  expectTypeOf<Awaited<ReturnType<typeof state>>>().toEqualTypeOf<{ readonly total: number } | undefined>()
  const parked = () => listParked(store, "mailer")
  expectTypeOf<ReturnType<typeof parked>>().toEqualTypeOf<Reading<ParkedEvent>>()
  expectTypeOf<Awaited<ReturnType<typeof health>>>().toEqualTypeOf<Health>()
  const compared = await compareVersions(store, "skus", 1, 2)
  expectTypeOf<typeof compared.differences>().toEqualTypeOf<Reading<Difference>>()
}
