/**
 * The shop's books, kept by plain code from a plain replay of the log: what the read models must agree with, and what
 * must hold whatever happened. Nothing here is shared with what runs the shop but the events themselves.
 */
import type { ShopEvent } from "./events.ts"

/** What the log says of a product. */
export interface ProductBook {
  received: number
  shipped: number
  /** Pieces that are reserved, by order. */
  readonly reserved: Map<string, number>
}

/** What the log says of an order. */
export interface OrderBook {
  readonly customer: string
  readonly day: string
  readonly lines: ReadonlyArray<readonly [product: string, pieces: number, cents: number]>
  /** What happened to it, in order. */
  readonly happened: Array<string>
  paid: number
  refunded: number
  /** Why it was cancelled. */
  reason?: string
}

/** An invoice. */
export interface InvoiceBook {
  readonly number: number
  readonly order: string
  readonly customer: string
  readonly day: string
  readonly cents: number
}

/** Everything. */
export class Books {
  events = 0
  readonly products = new Map<string, ProductBook>()
  readonly orders = new Map<string, OrderBook>()
  readonly invoices: Array<InvoiceBook> = []
  readonly timelines = new Map<string, Array<readonly [at: number, order: string, what: string]>>()
  /** What can't be, found on the way. */
  readonly wrong: Array<string> = []

  /** Enters an event. */
  enter(event: ShopEvent): void {
    this.events++
    const { at, data, seq, type } = event
    if (type.startsWith("Order") && "customer" in data) this.note(data, at, type.replace("Order", "").toLowerCase())
    switch (type) {
      case "OrderPlaced": {
        if (this.orders.has(data.order)) this.wrong.push(`${data.order} was placed twice`)
        const lines = data.lines.map(({ cents, product, quantity }) => [product, quantity, cents] as const)
        const { customer, day } = data
        this.orders.set(data.order, { customer, day, lines, happened: [], paid: 0, refunded: 0 })
        return
      }
      case "OrderPaid":
        this.order(data.order, "paid").paid += data.cents
        return
      case "OrderRefunded":
        this.order(data.order, "refunded").refunded += data.cents
        return
      case "OrderShipped":
        this.order(data.order, "shipped")
        return
      case "OrderCancelled":
        this.order(data.order, "cancelled").reason = data.reason
        return
      case "InvoiceIssued":
        this.note(data, at, `invoice ${seq}`)
        this.invoices.push({ number: seq, ...data })
        return
      case "StockReceived":
        this.product(data.product).received += data.quantity
        return
      case "StockReserved":
      case "StockReleased":
      case "StockTaken":
        this.move(type, data)
        return
      case "CancellationAsked":
      case "ReservationAsked":
      case "ReservationRefused":
    }
  }

  private move(type: string, { order, product, quantity }: { order: string; product: string; quantity: number }): void {
    const book = this.product(product)
    const has = book.reserved.get(order) ?? 0
    if (type === "StockReserved") {
      if (has !== 0) this.wrong.push(`${product} is reserved twice for ${order}`)
      book.reserved.set(order, quantity)
      const onHand = onHandOf(book)
      if (onHand < 0) this.wrong.push(`${product} has ${onHand} on hand once it's reserved for ${order}`)
      return
    }
    if (has !== quantity) {
      this.wrong.push(`${type} of ${quantity} ${product} for ${order}, of which ${has} are reserved`)
    }
    book.reserved.delete(order)
    if (type === "StockTaken") book.shipped += quantity
  }

  private note({ customer, order }: { customer: string; order: string }, at: number, what: string): void {
    const entries = this.timelines.get(customer)
    if (entries === undefined) this.timelines.set(customer, [[at, order, what]])
    else entries.push([at, order, what])
  }

  private order(name: string, what: string): OrderBook {
    const book = this.orders.get(name)
    if (book === undefined) {
      this.wrong.push(`an order ${JSON.stringify(name)} is ${what}, but was never placed`)
      return { customer: "", day: "", lines: [], happened: [], paid: 0, refunded: 0 }
    }
    book.happened.push(what)
    return book
  }

  private product(name: string): ProductBook {
    const found = this.products.get(name)
    if (found !== undefined) return found
    const book: ProductBook = { received: 0, shipped: 0, reserved: new Map() }
    this.products.set(name, book)
    return book
  }
}

const sum = (numbers: Iterable<number>): number => Array.from(numbers).reduce((all, each) => all + each, 0)

/** Pieces reserved for anybody. */
export const reservedOf = ({ reserved }: ProductBook): number => sum(reserved.values())

/** Pieces neither shipped nor reserved. */
export const onHandOf = (book: ProductBook): number => book.received - book.shipped - reservedOf(book)

/** What an order is worth, in cents. */
export const worthOf = ({ lines }: OrderBook): number => sum(lines.map(([, pieces, cents]) => pieces * cents))
