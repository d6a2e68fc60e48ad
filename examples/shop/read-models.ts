/** What people look at: stock, orders, a timeline of each customer, and sales. Each is one state for each key. */
import { ReadModel, Schema } from "persist/effect"
import { Shop, totalOf } from "./events.ts"

const whole = Schema.Natural

/** What is where: what was received is on hand, reserved or shipped. By product. */
export const stock = ReadModel.make({
  name: "stock",
  version: 1,
  events: Shop.only("StockReceived", "StockReserved", "StockReleased", "StockTaken"),
  keys: ({ data }) => data.product,
  value: Schema.Struct({ received: whole, onHand: whole, reserved: whole, shipped: whole }),
  seed: { received: 0, onHand: 0, reserved: 0, shipped: 0 },
  step: (state, { data: { quantity }, type }) => {
    const { onHand, received, reserved, shipped } = state
    switch (type) {
      case "StockReceived":
        return { ...state, received: received + quantity, onHand: onHand + quantity }
      case "StockReserved":
        return { ...state, onHand: onHand - quantity, reserved: reserved + quantity }
      case "StockReleased":
        return { ...state, onHand: onHand + quantity, reserved: reserved - quantity }
      case "StockTaken":
        return { ...state, reserved: reserved - quantity, shipped: shipped + quantity }
    }
  },
  indexes: { byOnHand: { on: ["onHand"] } }
})

/** Orders, to be found by customer, by state and by what they are worth. By order. */
export const orderList = ReadModel.make({
  name: "orders",
  version: 1,
  events: Shop.only("OrderPlaced", "OrderPaid", "OrderCancelled", "OrderRefunded", "OrderShipped"),
  keys: ({ data }) => data.order,
  value: Schema.Struct({
    customer: Schema.String,
    day: Schema.String,
    cents: whole,
    state: Schema.Literals(["placed", "paid", "cancelled", "shipped"]),
    refunded: Schema.Boolean
  }),
  seed: { customer: "", day: "", cents: 0, state: "placed", refunded: false },
  step: (order, { data, type }) => {
    switch (type) {
      case "OrderPlaced":
        return { ...order, customer: data.customer, day: data.day, cents: totalOf(data.lines) }
      case "OrderPaid":
        return { ...order, state: "paid" }
      case "OrderCancelled":
        return { ...order, state: "cancelled" }
      case "OrderRefunded":
        return { ...order, refunded: true }
      case "OrderShipped":
        return { ...order, state: "shipped" }
    }
  },
  indexes: {
    byCustomer: { on: ["customer", "day"] },
    byState: { on: ["state", "cents"] }
  }
})

/** So that numbers are in order where they are text. */
const inOrder = (position: number): string => String(position).padStart(16, "0")

/** What a customer has met with, each thing a key of its own: a customer's timeline is a scan by `customer/`. */
export const timeline = ReadModel.make({
  name: "timeline",
  version: 1,
  events: Shop.only("OrderPlaced", "OrderPaid", "OrderCancelled", "OrderRefunded", "OrderShipped", "InvoiceIssued"),
  keys: ({ data, position }) => `${data.customer}/${inOrder(position)}`,
  value: Schema.Struct({ at: Schema.Number, order: Schema.String, what: Schema.String }),
  seed: { at: 0, order: "", what: "" },
  step: (_, { at, data, seq, type }) => ({
    at,
    order: data.order,
    what: type === "InvoiceIssued" ? `invoice ${seq}` : type.slice("Order".length).toLowerCase()
  })
})

/** What was sold, by day and product: `2026-01-31/product`, so that a day or a month is a scan. */
export const sales = ReadModel.make({
  name: "sales",
  version: 1,
  events: Shop.only("OrderShipped"),
  keys: ({ data }) => data.lines.map(({ product }) => `${data.day}/${product}`),
  value: Schema.Struct({ product: Schema.String, day: Schema.String, orders: whole, pieces: whole, cents: whole }),
  seed: { product: "", day: "", orders: 0, pieces: 0, cents: 0 },
  step: (sold, { data }, key) => {
    const line = data.lines.find(({ product }) => `${data.day}/${product}` === key)
    if (line === undefined) return sold
    return {
      product: line.product,
      day: data.day,
      orders: sold.orders + 1,
      pieces: sold.pieces + line.quantity,
      cents: sold.cents + line.quantity * line.cents
    }
  },
  indexes: { byProduct: { on: ["product", "day"] } }
})
