/** The fulfilment of orders: what is done when, from placing one to its only end. */
import { type Command, type Step, workflow } from "@persist/runner"
import { type InputOf, Schema } from "persist/effect"
import { invoices, Line, orderStream, productStream, Reason, Shop, totalOf } from "./events.ts"

const State = Schema.Struct({
  order: Schema.String,
  customer: Schema.String,
  day: Schema.String,
  lines: Schema.Array(Line),
  /** The products that are reserved for it. */
  reserved: Schema.Array(Schema.String),
  /** For how many lines the warehouse has answered. */
  answers: Schema.Natural,
  paid: Schema.Boolean,
  /** From when its cancellation is commanded to when that is seen: what came before it in the order's stream is met. */
  ending: Schema.Literals(["no", "commanded", "seen"])
})
type State = typeof State.Type

type ShopCommand = Command<InputOf<typeof Shop>>
type ShopStep = Step<State, InputOf<typeof Shop>>

const command = (stream: string, event: InputOf<typeof Shop>): ShopCommand => ({ stream, events: [event] })

const onStock = (
  type: "ReservationAsked" | "StockReleased" | "StockTaken",
  order: string,
  lines: ReadonlyArray<Line>
): ReadonlyArray<ShopCommand> =>
  lines.map(({ product, quantity }) => command(productStream(product), { type, data: { product, order, quantity } }))

const reservedLines = ({ lines, reserved }: State) => lines.filter(({ product }) => reserved.includes(product))

// Paid and all reserved: it's shipped, and the invoice is written, in one commit.
const shipWhenReady = (state: State): ShopStep => {
  const { customer, day, lines, order, paid, reserved } = state
  if (!paid || reserved.length < lines.length) return { state }
  return {
    state: undefined,
    commands: [
      ...onStock("StockTaken", order, lines),
      command(orderStream(order), { type: "OrderShipped", data: { order, customer, day, lines } }),
      command(invoices, { type: "InvoiceIssued", data: { order, customer, day, cents: totalOf(lines) } })
    ]
  }
}

const cancelFor = (state: State, reason: typeof Reason.Type): ShopStep => {
  if (state.ending !== "no") return { state }
  const { customer, order } = state
  return {
    state: { ...state, ending: "commanded", reserved: [] },
    timers: { payment: undefined },
    commands: [
      command(orderStream(order), { type: "OrderCancelled", data: { order, customer, reason } }),
      ...onStock("StockReleased", order, reservedLines(state))
    ]
  }
}

// The payment may have come just before the cancellation: then the money goes back.
const cancelled = (state: State): ShopStep => {
  const { customer, lines, order, paid } = state
  const refund = command(orderStream(order), {
    type: "OrderRefunded",
    data: { order, customer, cents: totalOf(lines) }
  })
  return { ...overWhenAnswered({ ...state, ending: "seen" }), commands: paid ? [refund] : [] }
}

// What was cancelled still waits for the warehouse: what that reserves from now on has to be released.
const overWhenAnswered = (state: State): ShopStep => ({
  state: state.ending === "seen" && state.answers === state.lines.length ? undefined : state
})

/**
 * One instance for each order. It reserves every line, waits for the payment until its timer runs out, ships, and
 * issues the invoice; or it cancels and releases. It is the only one that ends an order, so an order has one end; and
 * what a step commands to other streams is in the step's commit, so no crash leaves an order half done.
 */
export const fulfilment = workflow({
  name: "fulfilment",
  events: Shop.only(
    "OrderPlaced",
    "OrderPaid",
    "CancellationAsked",
    "OrderCancelled",
    "StockReserved",
    "ReservationRefused"
  ),
  partitions: 4,
  correlate: ({ data }) => data.order,
  state: State,
  seed: { order: "", customer: "", day: "", lines: [], reserved: [], answers: 0, paid: false, ending: "no" },
  commands: Shop,
  step: (state, happened): ShopStep => {
    switch (happened.type) {
      case "OrderPlaced": {
        const { customer, day, lines, order, payWithin } = happened.data
        return {
          state: { ...state, order, customer, day, lines },
          timers: { payment: happened.at + payWithin },
          commands: onStock("ReservationAsked", order, lines)
        }
      }
      case "StockReserved": {
        const { order, product, quantity } = happened.data
        const answered = { ...state, answers: state.answers + 1 }
        if (state.ending === "no") return shipWhenReady({ ...answered, reserved: [...state.reserved, product] })
        const release = onStock("StockReleased", order, [{ product, quantity, cents: 0 }])
        return { ...overWhenAnswered(answered), commands: release }
      }
      case "ReservationRefused": {
        const answered = { ...state, answers: state.answers + 1 }
        return state.ending === "no" ? cancelFor(answered, "out of stock") : overWhenAnswered(answered)
      }
      case "OrderPaid": {
        const paid = { ...state, paid: true }
        if (state.ending !== "no") return { state: paid }
        return { timers: { payment: undefined }, ...shipWhenReady(paid) }
      }
      case "CancellationAsked":
        return cancelFor(state, "by customer")
      case "OrderCancelled":
        return cancelled(state)
      case "$timer":
        return cancelFor(state, "unpaid")
    }
  }
})
