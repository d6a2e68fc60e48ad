/** What people ask of the shop: decided on the state of one stream, and carried out once, however often it's sent. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { decide, Decider, Projection, Result, Schema, type StoreShape } from "persist/effect"
import { type Line, orderStream, productStream, Shop, totalOf } from "./events.ts"

/** What the shop won't do, and why. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { reason: Schema.String }) {}

/** Who orders what, on which day. */
export interface Placing {
  readonly order: string
  readonly customer: string
  readonly day: string
  readonly lines: ReadonlyArray<Line>
  /** Milliseconds to pay in. */
  readonly payWithin: number
}

type OrderCommand =
  | { readonly type: "place"; readonly placing: Placing }
  | { readonly type: "pay"; readonly cents: number }
  | { readonly type: "cancel" }

interface Order {
  readonly status: "new" | "open" | "paid" | "over"
  readonly order: string
  readonly customer: string
  readonly cents: number
}

const unplaced: Order = { status: "new", order: "", customer: "", cents: 0 }

/** An order, as far as those need to know it who decide on it. */
export const standing = Projection.make({
  name: "order",
  version: 1,
  events: Shop.only("OrderPlaced", "OrderPaid", "CancellationAsked", "OrderCancelled", "OrderRefunded", "OrderShipped"),
  seed: unplaced,
  step: (order, { data, type }) => {
    switch (type) {
      case "OrderPlaced":
        return { status: "open", order: data.order, customer: data.customer, cents: totalOf(data.lines) }
      case "OrderPaid":
        return { ...order, status: "paid" }
      default:
        return { ...order, status: "over" }
    }
  }
})

/** Decides on orders. What ends one isn't decided here: that's the fulfilment's alone, so there is one end only. */
export const orders = Decider.make({
  name: "orders",
  projection: standing,
  decide: ({ cents, customer, order, status }, command: OrderCommand) => {
    const named = { order, customer }
    switch (command.type) {
      case "place":
        return status === "new"
          ? Result.succeed([{ type: "OrderPlaced" as const, data: command.placing }])
          : refuse("there is such an order")
      case "pay":
        if (status !== "open") return refuse(`the order is ${status}`)
        if (command.cents !== cents) return refuse(`${cents} are to be paid, not ${command.cents}`)
        return Result.succeed([{ type: "OrderPaid" as const, data: { ...named, cents } }])
      case "cancel":
        return status === "open"
          ? Result.succeed([{ type: "CancellationAsked" as const, data: named }])
          : refuse(`the order is ${status}`)
    }
  }
})

const refuse = (reason: string) => Result.fail(new Refused({ reason }))

/**
 * Carries out a command on an order. The id makes it happen once, so whatever is unsure is simply asked again: where
 * the store was busy, where its answer was lost, where others were faster, and after a crash of the caller.
 */
const ask = (store: StoreShape, order: string, command: OrderCommand) =>
  decide(store, orders, orderStream(order), command, { id: `${command.type}/${order}` }).pipe(
    Effect.flatMap((outcome) => outcome._tag === "Decided" ? Effect.succeed(outcome) : Effect.fail(outcome)),
    Effect.retry({ while: isPassing, schedule: Schedule.spaced(20) })
  )

const isPassing = ({ _tag }: { readonly _tag: string }): boolean =>
  _tag === "Conflict" || _tag === "Unavailable" || _tag === "OutcomeUnknown"

/** Places an order. */
export const place = (store: StoreShape, placing: Placing) => ask(store, placing.order, { type: "place", placing })

/** Pays for an order: all of it. */
export const pay = (store: StoreShape, order: string, cents: number) => ask(store, order, { type: "pay", cents })

/** Asks for an order to be cancelled. */
export const cancel = (store: StoreShape, order: string) => ask(store, order, { type: "cancel" })

/** Takes a delivery into stock, by the number that its papers show. Nothing is to be decided: it has come. */
export const receive = (store: StoreShape, delivery: string, product: string, quantity: number) =>
  store.log(Shop).append(productStream(product), { type: "StockReceived", data: { product, quantity } }, {
    expected: "any",
    id: `delivery/${delivery}`
  }).pipe(Effect.retry({ while: isPassing, schedule: Schedule.spaced(20) }))
