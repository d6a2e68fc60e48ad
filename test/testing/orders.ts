/** A small business as its users would test it: orders in two versions, what they come to, and who buys how much. */
import { Catalogue, Decider, Projection, ReadModel } from "@persist/core"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const PlacedV1 = Schema.Struct({ by: Schema.NonEmptyString, euros: Schema.Finite })
const Placed = Schema.Struct({ by: Schema.NonEmptyString, cents: Schema.Int })

/** What could happen once. */
export const OldOrders = Catalogue.make({ Placed: PlacedV1 })

/** What can happen. */
export const Orders = Catalogue.make({
  Placed: Catalogue.versions(PlacedV1).to(Placed, ({ by, euros }) => ({ by, cents: Math.round(euros * 100) })),
  Discounted: Schema.Struct({ cents: Schema.Int }),
  Paid: Schema.Null
})

/** What an order comes to. */
export interface Order {
  readonly by: string
  readonly cents: number
  readonly status: "new" | "open" | "paid"
}

/** Orders as they stand. */
export const order = Projection.make({
  name: "order",
  version: 1,
  events: Orders,
  seed: (): Order => ({ by: "", cents: 0, status: "new" }),
  step: (state, event) => {
    switch (event.type) {
      case "Placed":
        return { ...event.data, status: "open" }
      case "Discounted":
        return { ...state, cents: state.cents - event.data.cents }
      case "Paid":
        return { ...state, status: "paid" }
    }
  }
})

/** What somebody asks of an order. */
export type OrderCommand = { readonly pay: number } | { readonly discount: number }

/** An order isn't open, or costs more than was paid. */
export type OrderFailure = { readonly _tag: "NotOpen" } | { readonly _tag: "TooLittle"; readonly missing: number }

/** Takes money for orders, and off them. */
export const till = Decider.make({
  name: "till",
  projection: order,
  decide: (state, command: OrderCommand) => {
    const fail = (failure: OrderFailure) => Result.fail(failure)
    if (state.status !== "open") return fail({ _tag: "NotOpen" })
    if ("discount" in command) {
      return command.discount === 0 ? [] : [{ type: "Discounted", data: { cents: command.discount } }]
    }
    return command.pay < state.cents
      ? fail({ _tag: "TooLittle", missing: state.cents - command.pay })
      : [{ type: "Paid", data: null, meta: { paid: command.pay } }]
  }
})

/** How many orders each buyer has placed, and for how much. */
export const buyers = ReadModel.make({
  name: "buyers",
  version: 1,
  events: Orders.only("Placed"),
  prefix: "order-",
  keys: ({ data }) => data.by,
  seed: { orders: 0, cents: 0 },
  value: Schema.Struct({ orders: Schema.Int, cents: Schema.Int }),
  step: (sum, { data }) => ({ orders: sum.orders + 1, cents: sum.cents + data.cents })
})

/** Somebody placed an order. */
export const placed = (by: string, cents: number) => ({ type: "Placed" as const, data: { by, cents } })

/** The same in a stream of its own. */
export const placedIn = (stream: string, by: string, cents: number) => ({ ...placed(by, cents), stream })

/** It got cheaper. */
export const discounted = (cents: number) => ({ type: "Discounted" as const, data: { cents } })

/** It was paid. */
export const paid = { type: "Paid" as const, data: null }
