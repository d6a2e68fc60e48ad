/** Tickets: a read model with indexes, queries of it, and what they should find; for the laws of queries. */
import type { Entry, EventOf, Query, QueryPage, StoreShape } from "@persist/core"
import { Catalogue, ReadModel } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { equal, holds, show } from "./assertion.ts"
import type { Core } from "./core.ts"
import { count } from "./store-given.ts"

/** A state: fields of every kind. */
export const Ticket = Schema.Struct({
  who: Schema.NullOr(Schema.String),
  prio: Schema.Finite,
  note: Schema.optionalKey(Schema.String),
  due: Schema.Date,
  open: Schema.Boolean
})

/** A state. */
export type Ticket = typeof Ticket.Type

/** The events of tickets. */
export const Tickets = Catalogue.make({ Is: Ticket, Gone: Schema.Null })

/** A read model of tickets, one a stream, without indexes. */
export const definition = {
  name: "tickets",
  version: 1,
  events: Tickets,
  keys: ({ stream }: EventOf<typeof Tickets>) => stream,
  seed: (): Ticket => ({ who: null, prio: 0, due: new Date(0), open: false }),
  step: (_: Ticket, event: EventOf<typeof Tickets>) => event.type === "Gone" ? undefined : event.data,
  value: Ticket
}

/** The same with indexes of one field and of two. */
export const tickets = ReadModel.make({
  ...definition,
  indexes: { byWho: { on: ["who", "prio"] }, byNote: { on: ["note"] }, byDue: { on: ["due", "open"] } }
})

const names = ["", "a", "a\0", "ab", "b", "\uffff", "\u{10000}"]

/** All kinds of values, the same in several tickets; the numbers from 1 give tickets that differ in something. */
export const ticket = (n: number): Ticket => ({
  who: n % 8 === 7 ? null : names[n % 8] ?? null,
  prio: [-1e21, -0.5, 0, 2, 10][n % 5] ?? 0,
  due: new Date(n % 3 === 0 ? -1 : n % 4 * 86_400_000),
  open: n % 2 === 0,
  ...(n % 3 === 1 ? {} : { note: `${n % 4}` })
})

/** A ticket is as it is from now on. */
export const is = (store: StoreShape, key: string, data: Ticket) =>
  store.log(Tickets).append(key, { type: "Is", data }, { expected: "any" })
/** A ticket is no more. */
export const gone = (store: StoreShape, key: string) =>
  store.log(Tickets).append(key, { type: "Gone", data: null }, { expected: "any" })

/** Tickets of many keys; some of them become others, some go away. */
export const change = (store: StoreShape, many: number, first = 1) =>
  Effect.forEach(
    count(many, first),
    (n) => n % 11 === 0 ? gone(store, `t${n - 9}`) : is(store, `t${n % 17}`, ticket(n)),
    { concurrency: "unbounded", discard: true }
  )

/** Keys and their tickets. */
export type Found = ReadonlyArray<readonly [key: string, ticket: Ticket]>

const foundIn = (items: ReadonlyArray<Entry<Ticket>>): Found => items.map(({ key, value }) => [key, value])

/** Every state, as the kv has it. */
export const allOf = (store: StoreShape, model: typeof tickets) =>
  Effect.map(Stream.runCollect(model.kv(store).scan()), foundIn)

/** The pages of a query, and all that is on them. */
export const pagesOf = Effect.fnUntraced(function*(core: Core, store: StoreShape, asked: Query<Ticket>) {
  const pages: Array<QueryPage<Ticket>> = []
  for (let after: string | undefined;;) {
    const page: QueryPage<Ticket> = yield* core.query(store, tickets, { ...asked, after })
    pages.push(page)
    after = page.next
    if (after === undefined) return { pages, found: foundIn(pages.flatMap(({ items }) => items)) }
    yield* holds(pages.length < 100, `a query whose pages don't end: ${show(asked)}`)
  }
})

// The order of values, written down once more: by kind, then by code point or as numbers.
const rank = (value: unknown): number =>
  value === undefined
    ? 0
    : value === null
    ? 1
    : typeof value === "boolean"
    ? 2
    : typeof value === "number"
    ? 3
    : value instanceof Date
    ? 4
    : 5
const compare = (a: unknown, b: unknown): number =>
  rank(a) - rank(b) || (typeof a === "string" ? byPoints(a, String(b)) : Number(a) - Number(b) || 0)
const byPoints = (a: string, b: string): number => {
  const [x, y] = [Array.from(a), Array.from(b)]
  const at = x.findIndex((point, i) => point !== y[i])
  if (at === -1) return x.length - y.length
  return (x[at]?.codePointAt(0) ?? -1) - (y[at]?.codePointAt(0) ?? -1)
}

/** A query, and what it should find. */
export interface Case {
  readonly asked: Query<Ticket>
  /** The index that must serve it. */
  readonly index: string | undefined
  readonly wanted: (one: Ticket) => boolean
  /** The order, first by the first; then by key, the way of the last. */
  readonly by: ReadonlyArray<readonly [field: keyof Ticket, sign: 1 | -1]>
}

const up = 1
const down = -1

/** Queries by every index and without one. */
export const cases: ReadonlyArray<Case> = [
  { asked: {}, index: undefined, wanted: () => true, by: [] },
  { asked: { where: { who: { eq: "a" } } }, index: "byWho", wanted: ({ who }) => who === "a", by: [["prio", up]] },
  {
    asked: { where: { who: { eq: "a" } }, sort: [{ field: "prio", order: "desc" }] },
    index: "byWho",
    wanted: ({ who }) => who === "a",
    by: [["prio", down]]
  },
  { asked: { where: { who: { eq: null } } }, index: "byWho", wanted: ({ who }) => who === null, by: [["prio", up]] },
  {
    asked: { where: { who: { startsWith: "a" } } },
    index: "byWho",
    wanted: ({ who }) => who?.startsWith("a") === true,
    by: [["who", up], ["prio", up]]
  },
  {
    asked: { where: { who: { eq: "ab" }, prio: { gt: -0.5, lte: 10 } } },
    index: "byWho",
    wanted: ({ prio, who }) => who === "ab" && prio > -0.5 && prio <= 10,
    by: [["prio", up]]
  },
  {
    asked: {
      where: { who: { gte: "a\0", lt: "\u{10000}" } },
      sort: [{ field: "due" }, { field: "open", order: "asc" }]
    },
    index: "byDue",
    wanted: ({ who }) => who !== null && byPoints(who, "a\0") >= 0 && byPoints(who, "\u{10000}") < 0,
    by: [["due", up], ["open", up]]
  },
  {
    asked: { where: { due: { lt: new Date(0) } }, sort: [{ field: "prio", order: "desc" }, { field: "who" }] },
    index: "byDue",
    wanted: ({ due }) => due.getTime() < 0,
    by: [["prio", down], ["who", up]]
  },
  {
    asked: { where: { note: { eq: undefined } } },
    index: "byNote",
    wanted: ({ note }) => note === undefined,
    by: []
  },
  { asked: { where: { note: { ne: "2" } } }, index: undefined, wanted: ({ note }) => note !== "2", by: [] },
  {
    asked: { where: { who: { contains: "a", endsWith: "\0" } } },
    index: undefined,
    wanted: ({ who }) => who === "a\0",
    by: []
  },
  {
    asked: { where: { open: { eq: true }, prio: { gte: 0 } }, sort: [{ field: "who", order: "desc" }] },
    index: undefined,
    wanted: ({ open, prio }) => open && prio >= 0,
    by: [["who", down]]
  }
]

/** What a query should find of all there are, in its order. */
export const expected = (all: Found, { by, wanted }: Case): Found =>
  all.filter(([, one]) => wanted(one)).toSorted(([keyA, a], [keyB, b]) => {
    for (const [field, sign] of by) {
      const order = compare(a[field], b[field]) * sign
      if (order !== 0) return order
    }
    return compare(keyA, keyB) * (by.at(-1)?.[1] ?? up)
  })

/** Fails unless queries by each index find what a filter of all states finds, and something at all. */
export const agrees = Effect.fnUntraced(function*(core: Core, store: StoreShape, what: string) {
  const all = yield* allOf(store, tickets)
  for (const one of cases.filter(({ index }) => index !== undefined)) {
    const { found } = yield* pagesOf(core, store, one.asked)
    yield* equal(`${what}, ${show(one.asked)}`, found, expected(all, one))
  }
  return all.length
})

/** The entries of every index, as they are stored. */
export const entriesOf = (store: StoreShape) =>
  Effect.forEach(
    tickets.readIndexes,
    ({ namespace }) =>
      Effect.map(Stream.runCollect(store.kv(namespace).scan()), (found) => found.map(({ key, value }) => [key, value]))
  )
