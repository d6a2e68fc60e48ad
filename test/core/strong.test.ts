/** Strong reads: a read model as of the head, however far it has been kept and whatever happens meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { type BackendShape, catchUp, type Invalid, makeStore, ReadModel, rebuild, strong } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as fc from "fast-check"
import * as Tickets from "./tickets.ts"
import { added, append, definition, expected, inputs, logUpTo, newStore, statesOf, totals } from "./totals.ts"

const keys = ["a", "b", "c", "all", "last 0", "last 1", "last 2", "nobody"]

// A backend before whose every read something else happens, as long as there is something.
const busy = (backend: BackendShape, happenings: Array<Effect.Effect<unknown, unknown>>): BackendShape => {
  const after = <A, E>(read: Effect.Effect<A, E>) =>
    Effect.suspend(() => Effect.andThen(Effect.orDie(happenings.shift() ?? Effect.void), read))
  return {
    ...backend,
    get: (names) => after(backend.get(names)),
    scan: (range) => after(backend.scan(range)),
    readAll: (range) => after(backend.readAll(range)),
    head: after(backend.head)
  }
}

describe("strong reads", () => {
  it.effect("show what was just appended, and write nothing", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* newStore()
      const reads = strong(store, totals)
      assert.deepStrictEqual(yield* reads.get("all"), Option.none())
      yield* append(store, added(4, "a"))
      assert.deepStrictEqual(yield* reads.get("all"), Option.some({ sum: 4, times: 1 }))
      yield* catchUp(store, totals)
      const { position } = yield* append(store, added(5, "a"))
      yield* append(store, { stream: "b", type: "Removed", data: 1 })
      const commits = faulty.commits.length
      const { folded, position: shown, states } = yield* reads.getMany(["a", "last 1", "last 2", "a"])
      assert.deepStrictEqual([...states], [["a", { sum: 9, times: 2 }], ["last 2", { sum: 5, times: 1 }]])
      assert.strictEqual(folded, 2)
      assert.isAbove(shown, position)
      assert.deepStrictEqual((yield* statesOf(store))["a"], { sum: 4, times: 1 })
      assert.lengthOf(faulty.commits, commits)
    }))

  it("are the fold of the log up to their position, however far the model is kept", () =>
    fc.assert(
      fc.asyncProperty(
        inputs,
        inputs,
        fc.constantFrom("never", "once", "rebuilt"),
        fc.record({ pageLimit: fc.integer({ min: 1, max: 7 }), pageStretch: fc.integer({ min: 1, max: 9 }) }),
        (first, second, kept, { pageLimit, pageStretch }) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { faulty, store } = yield* newStore()
            faulty.pageLimit = pageLimit
            faulty.pageStretch = pageStretch
            yield* Effect.forEach(first, (one) => append(store, one))
            if (kept !== "never") yield* kept === "once" ? catchUp(store, totals) : rebuild(store, totals)
            yield* Effect.forEach(second, (one) => append(store, one))
            const { folded, states } = yield* strong(store, totals).getMany(keys)
            assert.deepStrictEqual(Object.fromEntries(states), expected([...first, ...second]))
            assert.strictEqual(folded, second.length + (kept === "never" ? first.length : 0))
          })))
      ),
      { numRuns: 100 }
    ))

  it("never show two moments, whatever is appended and kept between their reads", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(inputs, fc.boolean()), { minLength: 1, maxLength: 6 }),
        inputs,
        (meanwhile, first) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const { faulty, store } = yield* newStore()
            yield* Effect.forEach(first, (one) => append(store, one))
            yield* catchUp(store, totals)
            const head = (yield* append(store, added(1, "a"))).position
            const happenings = meanwhile.map(([more, keep]) =>
              Effect.andThen(
                Effect.forEach(more, (one) => append(store, one)),
                keep ? catchUp(store, totals) : Effect.void
              )
            )
            faulty.pageLimit = 3
            const disturbed = yield* makeStore(busy(faulty.backend, happenings))
            const { position, states } = yield* strong(disturbed, totals).getMany(keys)
            assert.isAtLeast(position, head)
            assert.deepStrictEqual(Object.fromEntries(states), expected(yield* logUpTo(store, position)))
          })))
      ),
      { numRuns: 100 }
    ))

  it("answer queries as a filter and a sort of all states do, page by page, by every index", async () => {
    const used = new Set<string | undefined>()
    await fc.assert(
      fc.asyncProperty(
        Tickets.events,
        Tickets.events,
        fc.array(Tickets.queries, { minLength: 15, maxLength: 15 }),
        (first, second, asked) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const store = yield* makeStore(yield* makeMemory())
            yield* Tickets.tell(store, first)
            const more = second.map((data) => ({ type: "Is" as const, data }))
            yield* store.log(Tickets.Tickets).append("tickets", more, { expected: "any" })
            const states = Tickets.statesAfter([...first, ...second])
            for (const one of asked) {
              const { found, index } = yield* Tickets.allPages(
                store,
                Tickets.tickets,
                one,
                (on, model, query) => strong(on, model).query(query)
              )
              used.add(index)
              assert.deepStrictEqual(found, Tickets.oracle(states, one, index))
            }
          })))
      ),
      { numRuns: 40 }
    )
    for (const { name } of Tickets.tickets.readIndexes) assert.isTrue(used.has(name), name)
  })

  it.effect("a query shows each state of the moment before it or later, whoever keeps the model meanwhile", () =>
    Effect.gen(function*() {
      for (let nth = 0; nth < 8; nth++) {
        const backend = yield* makeMemory()
        const store = yield* makeStore(backend)
        const is = (key: string, who: string) =>
          store.log(Tickets.Tickets).append(key, {
            type: "Is",
            data: { key, ticket: { who, prio: 0, due: null, open: true, code: null, tags: [] } }
          }, { expected: "any" })
        yield* Effect.forEach(["a", "b", "c"], (key) => is(key, "x"))
        yield* catchUp(store, Tickets.tickets)
        yield* is("b", "y")
        // The keeper comes at any one of the query's reads.
        const happenings = [...Array.from({ length: nth }, () => Effect.void), catchUp(store, Tickets.tickets)]
        const disturbed = yield* makeStore(busy(backend, happenings))
        const found = yield* strong(disturbed, Tickets.tickets).query({ where: { who: { eq: "x" } } })
        happenings.length = 0
        assert.deepStrictEqual(found.items.map(({ key }) => key), ["a", "c"], `at read ${nth}`)
        const moved = yield* strong(store, Tickets.tickets).query({ where: { who: { eq: "y" } } })
        assert.deepStrictEqual(moved.items.map(({ key }) => key), ["b"], `at read ${nth}`)
      }
    }))

  it.effect("a query folds each event once, whenever the keeper comes to it", () =>
    Effect.gen(function*() {
      for (let nth = 0; nth < 8; nth++) {
        const { faulty, store } = yield* newStore()
        yield* append(store, added(1, "a"))
        yield* catchUp(store, totals)
        yield* append(store, added(1, "a"))
        const happenings = [...Array.from({ length: nth }, () => Effect.void), catchUp(store, totals)]
        const disturbed = yield* makeStore(busy(faulty.backend, happenings))
        const { items } = yield* strong(disturbed, totals).query()
        const states = Object.fromEntries(items.map(({ key, value }) => [key, value]))
        assert.deepStrictEqual(states, expected([added(1, "a"), added(1, "a")]), `at read ${nth}`)
      }
    }))

  it.effect("a query whose model is cleared under it is begun again", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* newStore()
      yield* Effect.forEach([1, 2, 3], (n) => append(store, added(n, "a")))
      yield* catchUp(store, totals)
      const cleared = Effect.andThen(
        Effect.sync(() => faulty.failAt(2, "refused")),
        Effect.flip(rebuild(store, totals))
      )
      // The checkpoint is read, then the head; the states are gone when they are.
      const disturbed = yield* makeStore(busy(faulty.backend, [Effect.void, Effect.void, cleared]))
      const { items } = yield* strong(disturbed, totals).query()
      assert.deepStrictEqual(
        Object.fromEntries(items.map(({ key, value }) => [key, value])),
        expected([
          added(1, "a"),
          added(2, "a"),
          added(3, "a")
        ])
      )
      assert.deepStrictEqual(yield* statesOf(store), {})
    }))

  it.effect("fold no more than they may, and say what to do then", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      yield* Effect.forEach([1, 2, 3], (n) => append(store, added(n, "a")))
      const reads = strong(store, totals)
      assert.deepStrictEqual((yield* reads.getMany(["a"], { tail: 3 })).folded, 3)
      for (
        const error of [
          yield* Effect.flip(reads.get("a", { tail: 2 })),
          yield* Effect.flip(reads.query({ tail: 2 }))
        ]
      ) {
        assert.strictEqual(error._tag, "Unavailable")
        assert.include(error.message, "\"totals@1\" is more than 2 of its events behind")
      }
      yield* catchUp(store, totals)
      assert.isTrue(Option.isSome(yield* reads.get("a", { tail: 0 })))
    }))

  it.effect("an event that the model can't take stops the reads of its own keys alone", () =>
    Effect.gen(function*() {
      const { store } = yield* newStore()
      const model = ReadModel.make({
        ...definition,
        step: (state, event, key) => {
          if (event.data === 7) throw new Error("seven")
          if (event.data === 8) return { sum: 0.5, times: 0 }
          return definition.step(state, event, key)
        }
      })
      yield* append(store, added(1, "a"))
      yield* append(store, added(7, "b"))
      yield* append(store, added(8, "c"))
      const reads = strong(store, model)
      assert.deepStrictEqual(yield* reads.get("a"), Option.some({ sum: 1, times: 1 }))
      const errors = [
        yield* Effect.flip(reads.get("b")),
        yield* Effect.flip(reads.get("c")),
        yield* Effect.flip(reads.query())
      ]
      assert.deepStrictEqual(errors.map((error) => [error._tag, (error as Invalid).field]), [ // of which each is one
        ["Invalid", "step"],
        ["Invalid", "state of key \"c\".sum"],
        ["Invalid", "step"]
      ])
    }))

  it.effect("refuse what they can't answer, and name it", () =>
    Effect.gen(function*() {
      const { faulty, store } = yield* newStore()
      const fails = Effect.fnUntraced(function*(what: string, reads: Effect.Effect<unknown, unknown>, wanted: string) {
        assert.match(String(yield* Effect.flip(reads)), new RegExp(wanted), what)
      })
      const reads = strong(store, totals)
      yield* fails("a key", reads.get(""), "Invalid: key")
      yield* fails("no keys", reads.getMany(JSON.parse("7")), "Invalid: keys")
      yield* fails("a tail", reads.get("a", { tail: -1 }), "Invalid: tail")
      yield* fails("an option", reads.get("a", JSON.parse("{\"tial\":1}")), "Invalid: tial")
      yield* fails("an option of a query", reads.query(JSON.parse("{\"tial\":1}")), "Invalid: tial")
      yield* append(store, added(1, "a"))
      yield* store.kv(totals.namespace).put("a", { sum: 0, times: 0 })
      yield* fails("another's key", reads.get("a"), "Invalid: name")
      yield* fails("another's keys", reads.query(), "Invalid: name")
      yield* rebuild(store, totals)
      const other = ReadModel.make({ ...definition, prefix: "a" })
      yield* fails("other events", strong(store, other).get("a"), "Invalid: events")
      const about = { ...faulty.backend.about, incarnation: "restored" }
      const restored = yield* makeStore({ ...faulty.backend, about })
      yield* fails("another history", strong(restored, totals).get("a"), "another history")
      yield* append(store, added(2, "a"))
      yield* store.log().truncate("a", 2)
      assert.isTrue(Option.isSome(yield* reads.get("a")), "what is built already")
      const fresh = ReadModel.make({ ...definition, version: 2 })
      yield* fails("a truncated stream", strong(store, fresh).get("a"), "Invalid: allowTruncated")
      yield* fails("a truncated stream", strong(store, fresh).query(), "Invalid: allowTruncated")
      assert.deepStrictEqual(
        yield* strong(store, fresh).get("a", { allowTruncated: true }),
        Option.some({ sum: 2, times: 1 })
      )
    }))
})
