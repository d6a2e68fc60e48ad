/** A read model with indexes over every kind of field, random queries of it, and what they should find. */
import { assert } from "@effect/vitest"
import {
  type BackendShape,
  Catalogue,
  catchUp,
  type EventOf,
  makeStore,
  type Query,
  query,
  ReadModel,
  type StoreShape
} from "@persist/core"
import { entriesOf } from "@persist/core/read-index"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"

/** A state. */
export const Ticket = Schema.Struct({
  who: Schema.String,
  prio: Schema.Finite,
  note: Schema.optionalKey(Schema.String),
  due: Schema.NullOr(Schema.Date),
  open: Schema.Boolean,
  code: Schema.NullOr(Schema.String),
  tags: Schema.Array(Schema.String)
})

/** A state. */
export type Ticket = typeof Ticket.Type

/** The events: a ticket as it is from now on, or that there is none. */
export const Tickets = Catalogue.make({ Is: Schema.Struct({ key: Schema.String, ticket: Schema.NullOr(Ticket) }) })

const definition = {
  name: "tickets",
  version: 1,
  events: Tickets,
  keys: ({ data }: EventOf<typeof Tickets>) => data.key,
  seed: (): Ticket => ({ who: "", prio: 0, due: null, open: true, code: null, tags: [] }),
  step: (_: Ticket, { data }: EventOf<typeof Tickets>) => data.ticket ?? undefined,
  value: Ticket
}

/** With indexes of one field and of several, one of them unique. */
export const tickets = ReadModel.make({
  ...definition,
  indexes: {
    byWho: { on: ["who", "prio"] },
    byDue: { on: ["due"] },
    byNote: { on: ["note", "who"] },
    byState: { on: ["open", "who", "due"] },
    byCode: { on: ["code"], unique: true }
  }
})

/** The same without any. */
export const plainTickets = ReadModel.make({ ...definition, name: "plain tickets" })

const texts = ["", "a", "ab", "b", "A", "\0", "a\0", "\x01", "\uffff", "\u{10000}", "é"]
const text = fc.constantFrom(...texts)
const number = fc.constantFrom(-1e300, -1.5, -1, -0, 0, 0.5, 1, 2, 10, 1e300)
const date = fc.constantFrom(-1, 0, 1, 1000, 1_700_000_000_000).map((time) => new Date(time))
const keys = ["k", "k1", "k\0", "\u{10000}", "\uffff", "é", "a", "b", "c", "d", "e", "f"]

/** An event. */
export type Is = { readonly key: string; readonly ticket: Ticket | null }

// No two keys have a code in common, so that none is refused.
const eventOf = (key: string): fc.Arbitrary<Is> =>
  fc.record({
    key: fc.constant(key),
    ticket: fc.option(
      fc.record({
        who: text,
        prio: number.map((n) => n + 0), // JSON keeps no -0
        note: text,
        due: fc.option(date, { freq: 3 }),
        open: fc.boolean(),
        code: fc.option(fc.constantFrom(`${key}/1`, `${key}/2`), { freq: 2 }),
        tags: fc.constant([])
      }, { requiredKeys: ["who", "prio", "due", "open", "code", "tags"] }),
      { freq: 6 }
    )
  })

/** Some events of a few keys. */
export const events = fc.array(fc.constantFrom(...keys).chain(eventOf), { minLength: 20, maxLength: 60 })

const ranges = <A>(value: fc.Arbitrary<A>) =>
  fc.record({ eq: value, ne: value, gt: value, gte: value, lt: value, lte: value })
// Some of its fields, two at most.
const some = <A extends object>(all: fc.Arbitrary<A>): fc.Arbitrary<Partial<A>> =>
  fc.tuple(all, fc.infiniteStream(fc.nat())).map(([record, dice]) => {
    const chosen = Object.entries(record).map((entry) => ({ entry, rank: dice.next().value }))
    const first = chosen.sort((one, other) => one.rank - other.rank).slice(0, 2)
    return Object.fromEntries(first.map(({ entry }) => entry)) as Partial<A> // whose entries they are
  })
const ofTexts = some(
  fc.record({ eq: text, gte: text, lt: text, contains: text, startsWith: text, endsWith: text, ne: text })
)
const order = fc.constantFrom("asc" as const, "desc" as const, undefined)

/** A query, without a place to go on from. */
export const queries: fc.Arbitrary<Query<Ticket> & { readonly limit: number }> = fc.record({
  where: some(fc.record({
    who: fc.oneof({ arbitrary: text.map((eq) => ({ eq })), weight: 2 }, { arbitrary: ofTexts, weight: 1 }),
    prio: some(ranges(number)),
    note: fc.oneof(ofTexts, fc.constant({ eq: undefined }), fc.constant({ ne: undefined })),
    due: fc.oneof(some(ranges(date)), fc.constant({ eq: null }), fc.constant({ ne: null })),
    open: fc.boolean().map((eq) => ({ eq })),
    code: fc.oneof(fc.constantFrom(...keys).map((key) => ({ eq: `${key}/1` })), fc.constant({ eq: null }))
  })),
  sort: fc.uniqueArray(
    fc.record({ field: fc.constantFrom("who", "prio", "note", "due", "open", "code"), order }),
    { maxLength: 3, selector: ({ field }) => field }
  ),
  limit: fc.constantFrom(1, 2, 3, 7, 1000)
})

/** What the states are after some events. */
export const statesAfter = (log: ReadonlyArray<Is>): ReadonlyMap<string, Ticket> => {
  const states = new Map<string, Ticket>()
  for (const { key, ticket } of log) {
    if (ticket === null) states.delete(key)
    else states.set(key, ticket)
  }
  return states
}

// Written down once more, and otherwise: by rank and then by value or bytes.
const rankOf = (value: unknown): number =>
  value === undefined ? 0 : value === null ? 1 : value === false ? 2 : value === true
    ? 3
    : typeof value === "number"
    ? 4
    : value instanceof Date
    ? 5
    : 6
const compare = (a: unknown, b: unknown): number =>
  rankOf(a) - rankOf(b) ||
  (typeof a === "string" ? Buffer.compare(Buffer.from(a), Buffer.from(String(b))) : Number(a) - Number(b) || 0)

const ofOneKind = (a: unknown, b: unknown): boolean => typeof a === typeof b && (a === null) === (b === null)
const asks: Readonly<Record<string, (actual: unknown, value: unknown) => boolean>> = {
  eq: (actual, value) => ofOneKind(actual, value) && compare(actual, value) === 0,
  ne: (actual, value) => !ofOneKind(actual, value) || compare(actual, value) !== 0,
  gt: (actual, value) => ofOneKind(actual, value) && compare(actual, value) > 0,
  gte: (actual, value) => ofOneKind(actual, value) && compare(actual, value) >= 0,
  lt: (actual, value) => ofOneKind(actual, value) && compare(actual, value) < 0,
  lte: (actual, value) => ofOneKind(actual, value) && compare(actual, value) <= 0,
  contains: (actual, value) => typeof actual === "string" && actual.includes(String(value)),
  startsWith: (actual, value) => typeof actual === "string" && actual.startsWith(String(value)),
  endsWith: (actual, value) => typeof actual === "string" && actual.endsWith(String(value))
}

// An order is a list of what comes first, and which way it goes.
type Order = ReadonlyArray<readonly [field: string, sign: 1 | -1]>

const comparing =
  (by: Order) => ([keyA, a]: readonly [string, object], [keyB, b]: readonly [string, object]): number => {
    for (const [field, sign] of by) {
      const found = compare(Object(a)[field], Object(b)[field]) * sign
      if (found !== 0) return found
    }
    return compare(keyA, keyB) * (by.at(-1)?.[1] ?? 1)
  }

/** All that a query should find, in order; `index` is the one that it says it used. */
export const oracle = (
  states: ReadonlyMap<string, Ticket>,
  { sort = [], where = {} }: Query<Ticket>,
  index: string | undefined
): ReadonlyArray<readonly [string, Ticket]> => {
  const asked = Object.entries(where).flatMap(([field, filter]) =>
    Object.entries(filter ?? {}).map(([operator, value]) => ({ field, operator, value }))
  )
  const found = [...states].filter(([, state]) =>
    asked.every(({ field, operator, value }) => asks[operator]?.(Object(state)[field], value))
  )
  const on = tickets.readIndexes.find(({ name }) => name === index)?.on ?? []
  const by: Order = sort.length > 0
    ? sort.map(({ field, order: way }) => [field, way === "desc" ? -1 : 1])
    : on.map((field) => [field, 1])
  return found.sort(comparing(by))
}

/** Appends events, and brings both read models there. */
export const tell = (store: StoreShape, log: ReadonlyArray<Is>) =>
  Effect.gen(function*() {
    const inputs = log.map((data) => ({ type: "Is" as const, data }))
    if (inputs.length > 0) yield* store.log(Tickets).append("tickets", inputs, { expected: "any" })
    for (const model of [tickets, plainTickets]) yield* catchUp(store, model)
  })

/** Everything a query finds, page by page. */
export const allPages = Effect.fnUntraced(function*(
  store: StoreShape,
  model: typeof tickets,
  asked: Query<Ticket> & { readonly limit: number },
  ask: typeof query = query
) {
  const found: Array<readonly [string, Ticket]> = []
  let scanned = 0
  for (let after: string | undefined;;) {
    const page = yield* ask(store, model, after === undefined ? asked : { ...asked, after })
    assert.isAtMost(page.items.length, asked.limit)
    found.push(...page.items.map(({ key, value }) => [key, value] as const))
    scanned += page.scanned
    after = page.next
    if (after === undefined) return { found, index: page.index, scanned }
  }
})

/** The entries of each index as they are stored, and as they should be for these states. */
export const assertIndexed = Effect.fnUntraced(function*(store: StoreShape, states: ReadonlyMap<string, Ticket>) {
  for (const index of tickets.readIndexes) {
    const stored = yield* Stream.runCollect(store.kv(index.namespace).scan())
    const expected = [...states].flatMap(([key, state]) => Result.getOrThrow(entriesOf([index], key, state, 1024)))
    assert.deepStrictEqual(stored.map(({ key }) => key), expected.sort((a, b) => compare(a, b)), index.name)
  }
})

/** Random queries of random states, over one backend: each is answered as it should be, with indexes and without. */
export const answersRightly = (
  open: Effect.Effect<BackendShape, unknown, Scope.Scope>,
  runs: number,
  seed?: number
) => {
  const used = new Map<string | undefined, number>()
  const property = fc.asyncProperty(
    events,
    events,
    fc.array(queries, { minLength: 15, maxLength: 15 }),
    (first, second, asked) =>
      Effect.runPromise(Effect.scoped(Effect.gen(function*() {
        const store = yield* makeStore(yield* open)
        yield* tell(store, first)
        yield* tell(store, second)
        const states = statesAfter([...first, ...second])
        yield* assertIndexed(store, states)
        for (const one of asked) {
          const { found, index } = yield* allPages(store, tickets, one)
          used.set(index, (used.get(index) ?? 0) + 1)
          assert.deepStrictEqual(found, oracle(states, one, index))
          const plain = yield* allPages(store, plainTickets, one)
          assert.isUndefined(plain.index)
          assert.deepStrictEqual(plain.found, oracle(states, one, undefined))
        }
      })))
  )
  return fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed }) }).then(() => used)
}
