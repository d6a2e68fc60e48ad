/** Laws of queries: what an index tells is what its states are, at every moment, in every order, on every page. */
import type { BackendShape } from "@persist/core"
import { ReadModel } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, holds, show } from "../assertion.ts"
import { mortal } from "../gate.ts"
import type { Need } from "../law.ts"
import { at, count, failing, untyped } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"
import {
  agrees,
  allOf,
  cases,
  change,
  definition,
  entriesOf,
  expected,
  gone,
  is,
  pagesOf,
  ticket,
  tickets
} from "../tickets.ts"

const law = storeLawOf("store queries")
const needs: ReadonlyArray<Need> = ["readAll", "scan", "atomic", "streams", "delete"]

// The name may be used once.
const named = ReadModel.make({ ...definition, name: "named", indexes: { byWho: { on: ["who"], unique: true } } })

const pagedBy = (size: number) => (backend: BackendShape): BackendShape => ({
  ...backend,
  readAll: (range) => backend.readAll({ ...range, limit: Math.min(range.limit, size) })
})

/** Laws of queries. */
export const storeQueries = [
  law("a query finds the states that are as it asks, in its order, by an index or without", needs, function*(
    store,
    { core }
  ) {
    yield* change(store, 40)
    yield* core.catchUp(store, tickets)
    const all = yield* allOf(store, tickets)
    for (const one of cases) {
      const { found, pages } = yield* pagesOf(core, store, one.asked)
      yield* equal(`the index of ${show(one.asked)}`, pages[0]?.index, one.index)
      yield* equal(`what it finds: ${show(one.asked)}`, found, expected(all, one))
      yield* holds(found.length > 0, `there is nothing to find: ${show(one.asked)}`)
    }
  }),

  law("the pages of a query go on where the last one ended, whatever came before it", needs, function*(
    store,
    { core }
  ) {
    yield* change(store, 30)
    yield* core.catchUp(store, tickets)
    for (const one of cases) {
      const whole = yield* pagesOf(core, store, one.asked)
      for (const limit of [1, 2, 3]) {
        const { found, pages } = yield* pagesOf(core, store, { ...one.asked, limit })
        yield* equal(`in pages of ${limit}, ${show(one.asked)}`, found, whole.found)
        yield* holds(pages.every(({ items }) => items.length <= limit), `a page of more than ${limit}`)
      }
    }
    const asked = { where: { who: { eq: "z" } }, sort: [{ field: "prio" }], limit: 2 } as const
    for (const n of [1, 2, 3, 4, 5]) yield* is(store, `z${n}`, { ...ticket(1), who: "z", prio: n })
    yield* core.catchUp(store, tickets)
    const first = yield* core.query(store, tickets, asked)
    yield* is(store, "z0", { ...ticket(1), who: "z", prio: 0 })
    yield* core.catchUp(store, tickets)
    const next = first.next === undefined ? first : yield* core.query(store, tickets, { ...asked, after: first.next })
    yield* equal("the next page", next.items.map(({ key }) => key), ["z3", "z4"])
  }),

  law(
    "the entries of an index are those of its states, after every change and a rebuild",
    [...needs, "clear"],
    function*(
      store,
      { core }
    ) {
      for (const first of [1, 12, 20]) {
        yield* change(store, 15, first)
        yield* core.catchUp(store, tickets)
      }
      const kept = yield* entriesOf(store)
      yield* holds(kept.every(({ length }) => length > 0), "there are no entries")
      const [index] = tickets.readIndexes
      yield* store.kv(index?.namespace ?? "").put("6stray", null)
      yield* core.rebuild(store, tickets)
      yield* equal("entries after a rebuild", yield* entriesOf(store), kept)
      yield* agrees(core, store, "after a rebuild")
    }
  ),

  law("an index shows its states whatever commit is the last one", needs, function*(_store, { core, elsewhere }) {
    let crashes = 0
    for (const moment of ["before", "after"] as const) {
      for (const nth of [1, 2, 3, 4]) {
        const backend = yield* elsewhere
        const store = yield* core.makeStore(backend)
        yield* change(store, 16)
        const process = mortal(pagedBy(4)(backend), nth, moment)
        const dying = yield* core.makeStore(process.backend, { retries: 0 })
        yield* Effect.exit(core.catchUp(dying, tickets))
        if (process.died()) crashes++
        yield* agrees(core, store, `after a crash ${moment} commit ${nth}`)
        yield* change(store, 8, 17)
        yield* core.catchUp(store, tickets)
        const states = yield* agrees(core, store, `when it has gone on after a crash ${moment} commit ${nth}`)
        yield* holds(states > 5, "there are hardly any states")
      }
    }
    yield* holds(crashes >= 6, `there were only ${crashes} crashes`)
  }),

  law("no two states have the same values of a unique index, in whatever pages their events come", needs, function*(
    _store,
    { core, elsewhere }
  ) {
    for (const size of [1, 2, 1000]) {
      const backend = yield* elsewhere
      const store = yield* core.makeStore(backend)
      const paged = yield* core.makeStore(pagedBy(size)(backend))
      // Given up and taken, absent twice, and taken before it's given up.
      const log = [["a", "x"], ["b", "y"], ["a", "z"], ["b", "x"], ["c", null], ["d", null], ["e", "z"], [
        "a",
        "w"
      ]] as const
      for (const [key, who] of log) yield* is(store, key, { ...ticket(1), who })
      const refused = core.catchUp(paged, named)
      for (const _ of count(2)) yield* failing(`in pages of ${size}`, refused, "Invalid", "index byWho")
      const owners = Effect.forEach(
        ["w", "x", "y", "z"],
        (who) =>
          Effect.map(
            core.query(store, named, { where: { who: { eq: who } } }),
            ({ items }) => items.map(({ key }) => key)
          )
      )
      yield* equal(`who has which in pages of ${size}`, yield* owners, [[], ["b"], [], ["a"]])
      const plain = ReadModel.make({ ...definition, name: "named", version: 2 })
      yield* core.catchUp(paged, plain)
      yield* equal("without the index", yield* plain.kv(store).count(), 5)
    }
  }),

  law(
    "an index that a read model was not built with is refused, until a rebuild makes it",
    [...needs, "clear"],
    function*(
      store,
      { core }
    ) {
      yield* change(store, 20)
      yield* core.catchUp(store, ReadModel.make(definition))
      const asked = { where: { who: { eq: "a" } } } as const
      yield* failing("the query", core.query(store, tickets, asked), "Invalid", "indexes")
      yield* failing("catching up", core.catchUp(store, tickets), "Invalid", "indexes")
      yield* core.rebuild(store, tickets)
      yield* holds((yield* agrees(core, store, "after a rebuild")) > 0, "there are no states")
      yield* failing("without them", core.catchUp(store, ReadModel.make(definition)), "Invalid", "indexes")
    }
  ),

  law("a query that can't be asked is refused, and names what is wrong with it", needs, function*(store, { core }) {
    yield* change(store, 20)
    yield* core.catchUp(store, tickets)
    const by = { where: { who: { eq: "a" } }, limit: 1 } as const
    const { next } = yield* core.query(store, tickets, by)
    const wrong: ReadonlyArray<readonly [unknown, string]> = [
      [{ where: { whom: { eq: "a" } } }, "where.whom"],
      [{ where: { who: { is: "a" } } }, "where.who.is"],
      [{ where: { who: { eq: 5 } } }, "where.who.eq"],
      [{ where: { prio: { gt: Number.NaN } } }, "where.prio.gt"],
      [{ where: { prio: { startsWith: "1" } } }, "where.prio.startsWith"],
      [{ where: { prio: { gte: undefined } } }, "where.prio.gte"],
      [{ where: { who: "a" } }, "where.who"],
      [{ sort: [{ field: "whom" }] }, "sort[0].field"],
      [{ sort: [{ field: "who", order: "down" }] }, "sort[0].order"],
      [{ limit: 0 }, "limit"],
      [{ after: "x" }, "after"],
      [{ where: { who: { eq: "b" } }, after: next }, "after"],
      [{ ...by, sort: [{ field: "prio" }], after: next }, "after"],
      [{ filter: {} }, "filter"]
    ]
    for (const [asked, field] of wrong) {
      yield* failing(show(asked), core.query(store, tickets, untyped(asked)), "Invalid", field)
    }
    const early = core.query(store, tickets, { atLeast: (yield* store.head) + 1 })
    yield* failing("an answer as of a position that isn't there", at(0, early), "Unavailable")
  }),

  law("a query shows no state as it was, nor where it was, once that has changed", needs, function*(
    store,
    { core, over }
  ) {
    for (const key of ["p", "q", "r", "s"]) yield* is(store, key, { ...ticket(1), who: "p", prio: 1 })
    yield* core.catchUp(store, tickets)
    const asked = { where: { who: { eq: "p" }, open: { eq: false } } } as const
    const before = yield* core.query(store, tickets, asked)
    yield* equal("before", before.items.map(({ key }) => key), ["p", "q", "r", "s"])
    // One goes away, one moves, one isn't as it's asked for any more, after the index was read and before the states.
    const meanwhile = Effect.gen(function*() {
      yield* gone(store, "p")
      yield* is(store, "q", { ...ticket(1), who: "q", prio: 1 })
      yield* is(store, "r", { ...ticket(1), who: "p", prio: 1, open: true })
      yield* core.catchUp(store, tickets)
    })
    let changed = false
    const late = yield* over((backend) => ({
      ...backend,
      get: (keys) => {
        const now = !changed && keys.length > 1 ? Effect.orDie(meanwhile) : Effect.void
        changed ||= keys.length > 1
        return Effect.andThen(now, backend.get(keys))
      }
    }))
    const after = yield* core.query(late, tickets, asked)
    yield* equal("after", after.items.map(({ key, value }) => [key, value.who, value.open]), [["s", "p", false]])
    yield* holds(changed, "nothing changed meanwhile")
  })
]
