/** What must hold in a shop that has come to rest, whatever was killed on the way there. */
import { type Books, onHandOf, type OrderBook, reservedOf, worthOf } from "./replay.ts"

// How an order may have gone; the payment may just have come before its cancellation.
const ways = new Map([
  ["paid shipped", "shipped"],
  ["cancelled", "cancelled"],
  ["paid cancelled refunded", "cancelled"]
])

/** How an order ended; `undefined` where it has no end, or more than one. */
export const endOf = ({ happened }: OrderBook): string | undefined => ways.get(happened.join(" "))

/** What of these laws doesn't hold. */
export const breaches = (books: Books): ReadonlyArray<string> => [
  ...books.wrong,
  ...Array.from(books.products).flatMap(([product, book]) =>
    reservedOf(book) === 0 && onHandOf(book) >= 0 && book.received === onHandOf(book) + book.shipped
      ? []
      : [`${product}: ${book.received} received, ${onHandOf(book)} on hand, ${reservedOf(book)} reserved for nobody`]
  ),
  ...Array.from(books.orders).flatMap(([name, order]) => orderBreaches(name, order)),
  ...invoiceBreaches(books),
  ...piecesBreaches(books)
]

const orderBreaches = (name: string, order: OrderBook): ReadonlyArray<string> => {
  const end = endOf(order)
  if (end === undefined) return [`${name} was placed, then: ${order.happened.join(", ") || "nothing"}`]
  const kept = order.paid - order.refunded
  const owed = end === "shipped" ? worthOf(order) : 0
  return kept === owed ? [] : [`${name} is ${end}, and ${kept} cents were kept, not ${owed}`]
}

const invoiceBreaches = ({ invoices, orders }: Books): ReadonlyArray<string> => {
  const wrong = invoices.flatMap(({ number }, i) => number === i + 1 ? [] : [`invoice ${number} is the ${i + 1}th`])
  const invoiced = new Map<string, number>()
  for (const { cents, number, order } of invoices) {
    if (invoiced.has(order)) wrong.push(`${order} has invoices ${invoiced.get(order)} and ${number}`)
    invoiced.set(order, number)
    const book = orders.get(order)
    if (book === undefined || worthOf(book) !== cents) wrong.push(`invoice ${number} says ${cents} cents for ${order}`)
  }
  for (const [name, order] of orders) {
    const isShipped = order.happened.includes("shipped")
    if (isShipped !== invoiced.has(name)) wrong.push(`${name}: shipped ${isShipped}, invoiced ${!isShipped}`)
  }
  return wrong
}

// What left the warehouse is what orders were shipped with.
const piecesBreaches = ({ orders, products }: Books): ReadonlyArray<string> => {
  const shipped = new Map<string, number>()
  for (const order of orders.values()) {
    if (!order.happened.includes("shipped")) continue
    for (const [product, pieces] of order.lines) shipped.set(product, (shipped.get(product) ?? 0) + pieces)
  }
  return Array.from(products).flatMap(([product, book]) =>
    book.shipped === (shipped.get(product) ?? 0)
      ? []
      : [`${product}: ${book.shipped} taken, ${shipped.get(product) ?? 0} shipped with orders`]
  )
}
