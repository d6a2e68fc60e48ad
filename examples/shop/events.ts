/** Everything that can happen in the shop, and in which stream. */
import { Catalogue, type EventOf, Schema } from "persist/effect"

const id = Schema.String
const whole = Schema.Natural

/** So many pieces of a product, and the price of one in cents. */
export const Line = Schema.Struct({ product: id, quantity: whole, cents: whole })
/** A line of an order. */
export type Line = typeof Line.Type

// Customer and day go with every event of an order, so that whoever reads only those needn't look anything up.
const ofOrder = { order: id, customer: id }
const reservation = Schema.Struct({ product: id, order: id, quantity: whole })

/** Why an order was cancelled. */
export const Reason = Schema.Literals(["unpaid", "out of stock", "by customer"])

/** All events. An order's are in `order/…`, a product's in `product/…`, and invoices in `invoices`. */
export const Shop = Catalogue.make({
  /** `payWithin`: milliseconds until it's cancelled, unless it's paid. */
  OrderPlaced: Schema.Struct({ ...ofOrder, day: Schema.String, lines: Schema.Array(Line), payWithin: whole }),
  OrderPaid: Schema.Struct({ ...ofOrder, cents: whole }),
  CancellationAsked: Schema.Struct(ofOrder),
  OrderCancelled: Schema.Struct({ ...ofOrder, reason: Reason }),
  OrderRefunded: Schema.Struct({ ...ofOrder, cents: whole }),
  OrderShipped: Schema.Struct({ ...ofOrder, day: Schema.String, lines: Schema.Array(Line) }),

  StockReceived: Schema.Struct({ product: id, quantity: whole }),
  ReservationAsked: reservation,
  StockReserved: reservation,
  ReservationRefused: reservation,
  StockReleased: reservation,
  StockTaken: reservation,

  /** Its number is its place in its stream. */
  InvoiceIssued: Schema.Struct({ ...ofOrder, day: Schema.String, cents: whole })
})

/** An event of the shop. */
export type ShopEvent = EventOf<typeof Shop>

/** The stream of an order. */
export const orderStream = (order: string): string => `order/${order}`

/** The stream of a product. */
export const productStream = (product: string): string => `product/${product}`

/**
 * The stream of all invoices. A store numbers the events of a stream 1, 2, 3… without holes, whoever appends and
 * whatever fails: these are the numbers of the invoices.
 */
export const invoices = "invoices"

/** What lines cost together, in cents. */
export const totalOf = (lines: ReadonlyArray<Line>): number =>
  lines.reduce((sum, { cents, quantity }) => sum + cents * quantity, 0)
