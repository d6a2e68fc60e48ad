/** The check: every read model, answer and mail against the books, and the laws of the shop. */
import type { Processor } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { existsSync, readFileSync } from "node:fs"
import { isDeepStrictEqual } from "node:util"
import { type Catalogue, query, type ReadModel, Schema, type StoreShape } from "persist/effect"
import { Shop } from "./events.ts"
import { ordersOf, salesOf, type States, stockOf } from "./expected.ts"
import { fulfilment } from "./fulfilment.ts"
import { breaches } from "./laws.ts"
import { Mail } from "./mailer.ts"
import { orderList, sales, stock, timeline } from "./read-models.ts"
import { Books } from "./replay.ts"
import { settled } from "./settled.ts"

/** What was found. */
export interface Checked {
  readonly events: number
  readonly orders: number
  readonly invoices: number
  /** Orders cancelled as unpaid, to which a payment came just before that: it was given back. */
  readonly paidTooLate: number
  /** Mails handed over more than once, under the same key. */
  readonly mailedAgain: number
  /** Values that were compared. */
  readonly compared: number
  readonly differences: ReadonlyArray<string>
}

/** Keeps the books: replays the whole log. */
export const keepBooks = (store: StoreShape) =>
  Stream.runFold(store.log(Shop).readAll(), () => new Books(), (books, event) => {
    books.enter(event)
    return books
  })

const statesOf = <C extends Catalogue, A>(store: StoreShape, model: ReadModel<C, A>) =>
  Effect.map(
    Stream.runCollect(model.kv(store).scan()),
    (entries) => new Map(entries.map(({ key, value }) => [key, value]))
  )

const differencesOf = (what: string, found: States, expected: States): ReadonlyArray<string> =>
  Array.from(new Set([...expected.keys(), ...found.keys()])).flatMap((key) =>
    isDeepStrictEqual(found.get(key), expected.get(key))
      ? []
      : [`${what} of ${key}: ${JSON.stringify(found.get(key))}, not ${JSON.stringify(expected.get(key))}`]
  )

const timelinesOf = Effect.fnUntraced(function*(store: StoreShape) {
  const timelines = new Map<string, Array<unknown>>()
  yield* Stream.runForEach(timeline.kv(store).scan(), ({ key, value: { at, order, what } }) =>
    Effect.sync(() => {
      const [customer = ""] = key.split("/")
      timelines.set(customer, [...timelines.get(customer) ?? [], [at, order, what]])
    }))
  return timelines
})

const queried = Effect.fnUntraced(function*(store: StoreShape, customer: string) {
  const { items } = yield* query(store, orderList, { where: { customer: { eq: customer } }, limit: 100_000 })
  return items.map(({ key }) => key).sort()
})

// What queries answer must be what the books say of each customer.
const queryDifferences = Effect.fnUntraced(function*(store: StoreShape, { orders }: Books) {
  const expected = new Map<string, Array<string>>()
  for (const [name, { customer }] of orders) expected.set(customer, [...expected.get(customer) ?? [], name])
  for (const names of expected.values()) names.sort()
  const found = yield* Effect.forEach(
    expected.keys(),
    (customer) => Effect.map(queried(store, customer), (names) => [customer, names] as const)
  )
  return differencesOf("queried orders", new Map(found), expected)
})

// An order that is over has no workflow left.
const leftOver = Effect.fnUntraced(function*(store: StoreShape, { orders }: Books) {
  const left: Array<string> = []
  for (const order of orders.keys()) {
    const state = yield* fulfilment.stateOf(store, order)
    if (Option.isSome(state)) left.push(`the fulfilment of ${order} isn't over: ${JSON.stringify(state.value)}`)
  }
  return left
})

const decodeMail = Schema.decodeUnknownSync(Schema.fromJsonString(Mail))

const mailed = (file: string) => {
  const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").map((line) => decodeMail(line)) : []
  const byKey = new Map<string, typeof Mail.Type>()
  const wrong: Array<string> = []
  for (const mail of lines) {
    const before = byKey.get(mail.key)
    if (before !== undefined && !isDeepStrictEqual(before, mail)) wrong.push(`two mails are of one key: ${mail.key}`)
    byKey.set(mail.key, mail)
  }
  return { mails: Array.from(byKey.values()), again: lines.length - byKey.size, wrong }
}

const to = (customer: string, text: string): string => `${customer}: ${text}`

const mailDifferences = ({ invoices }: Books, mails: ReadonlyArray<typeof Mail.Type>): ReadonlyArray<string> => {
  const found = new Map<string, number>()
  for (const mail of mails) found.set(to(mail.to, mail.text), (found.get(to(mail.to, mail.text)) ?? 0) + 1)
  const expected = invoices.map(({ cents, customer, number, order }) =>
    [to(customer, `invoice ${number} for order ${order}: ${(cents / 100).toFixed(2)} EUR`), 1] as const
  )
  return differencesOf("mails", found, new Map(expected))
}

/** Checks a shop, once it has come to rest within so many milliseconds. */
export const check = Effect.fnUntraced(function*(
  store: StoreShape,
  processors: ReadonlyArray<Processor>,
  mails: string,
  within: number
) {
  const atRest = yield* settled(store, processors, within).pipe(
    Effect.map((isSo) => isSo ? [] : [`orders are still open after ${within} ms`]),
    // Whoever isn't through says so; what is there is checked all the same.
    Effect.catchTag("Unavailable", ({ message }) => Effect.succeed([message]))
  )
  const books = yield* keepBooks(store)
  const mail = mailed(mails)
  const models = [
    ["stock", yield* statesOf(store, stock), stockOf(books)],
    ["order", yield* statesOf(store, orderList), ordersOf(books)],
    ["sales", yield* statesOf(store, sales), salesOf(books)],
    ["timeline", yield* timelinesOf(store), books.timelines]
  ] as const
  const checked: Checked = {
    events: books.events,
    orders: books.orders.size,
    invoices: books.invoices.length,
    paidTooLate: Array.from(books.orders.values()).filter(({ reason, refunded }) =>
      reason === "unpaid" && refunded > 0
    ).length,
    mailedAgain: mail.again,
    compared: models.reduce((sum, [, , expected]) => sum + expected.size, books.invoices.length),
    differences: [
      ...atRest,
      ...models.flatMap(([what, found, expected]) => differencesOf(what, found, expected)),
      ...yield* queryDifferences(store, books),
      ...yield* leftOver(store, books),
      ...mail.wrong,
      ...mailDifferences(books, mail.mails),
      ...breaches(books)
    ]
  }
  return checked
})
