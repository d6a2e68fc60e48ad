/** Laws of strong reads: a read model as of the head, however far it is kept and whatever happens meanwhile. */
import type { BackendShape, EventOf, StoreShape } from "@persist/core"
import { Catalogue, ReadModel, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { equal, holds, show } from "../assertion.ts"
import type { Core } from "../core.ts"
import type { Need } from "../law.ts"
import { count, failing } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"
import { cases, change, pagesOf, tickets } from "../tickets.ts"

const law = storeLawOf("store strong reads")
const needs: ReadonlyArray<Need> = ["readAll", "scan", "atomic", "streams", "delete"]

const Moves = Catalogue.make({ Moved: Schema.Finite, Dropped: Schema.Finite }, { unknown: "skip" })

// Every event is in two states, so that states of two moments can be told apart.
const definition = {
  name: "moves",
  version: 1,
  events: Moves,
  keys: ({ stream }: EventOf<typeof Moves>) => [stream, "all"],
  seed: "",
  step: (seen: string, { data, type }: EventOf<typeof Moves>, key: string) =>
    type === "Dropped" && key !== "all" ? undefined : `${seen} ${data}`,
  value: Schema.String
}
const moves = ReadModel.make(definition)
const keys = ["a", "b", "all", "nobody"]

const move = (store: StoreShape, many: number, first = 1) =>
  Effect.forEach(
    count(many, first),
    (n) =>
      store.log().append(n % 3 === 0 ? "b" : "a", { type: n % 5 === 0 ? "Dropped" : "Moved", data: n }, {
        expected: "any"
      }),
    { discard: true }
  )

// The same fold in a few lines, over the log up to a position.
const answer = Effect.fnUntraced(function*(store: StoreShape, to: number) {
  const states = new Map<string, string>()
  for (const event of yield* Stream.runCollect(store.log(Moves).readAll({ to }))) {
    for (const key of definition.keys(event)) {
      const next = definition.step(states.get(key) ?? "", event, key)
      if (next === undefined) states.delete(key)
      else states.set(key, next)
    }
  }
  return Object.fromEntries(states)
})

// Fails unless a strong read shows everything up to the position that it tells, which is at least the head.
const isStrong = Effect.fnUntraced(function*(core: Core, read: StoreShape, store: StoreShape, what: string) {
  const head = yield* store.head
  const { position, states } = yield* core.strong(read, moves).getMany(keys)
  yield* holds(position >= head, `${what}: it shows position ${position}, and not yet ${head}`)
  yield* equal<unknown>(what, Object.fromEntries(states), yield* answer(store, position))
  yield* holds(states.size > 1, `${what}: there is hardly anything`)
})

// Lets something happen before the n-th read from now on.
const disturbed =
  (nth: number, happening: Effect.Effect<unknown, unknown>) => (backend: BackendShape): BackendShape => {
    let left = nth
    const after = <A, E>(verb: Effect.Effect<A, E>) =>
      Effect.suspend(() => left-- === 0 ? Effect.andThen(Effect.orDie(happening), verb) : verb)
    return {
      ...backend,
      get: (names) => after(backend.get(names)),
      readAll: (range) => after(backend.readAll({ ...range, limit: Math.min(range.limit, 2) })),
      head: after(backend.head)
    }
  }

const restored = (backend: BackendShape): BackendShape => ({
  ...backend,
  about: { ...backend.about, incarnation: `${backend.about.incarnation} restored` }
})

/** Laws of strong reads. */
export const storeStrong = [
  law(
    "a strong read shows everything up to the head, however far the model is kept, and writes nothing",
    needs,
    function*(
      store,
      { core }
    ) {
      yield* move(store, 7)
      yield* isStrong(core, store, store, "of one that was never kept")
      yield* core.catchUp(store, moves)
      yield* move(store, 7, 8)
      const head = yield* store.head
      yield* isStrong(core, store, store, "of one that is behind")
      yield* equal("a state by itself", yield* core.strong(store, moves).get("b"), Option.some(" 3 6 9 12"))
      yield* equal("a key without a state", yield* core.strong(store, moves).get("nobody"), Option.none())
      yield* equal("the head afterwards", yield* store.head, head)
      yield* core.catchUp(store, moves)
      yield* isStrong(core, store, store, "of one that has come there")
      yield* equal("what it took", (yield* core.strong(store, moves).getMany(keys)).folded, 0)
    }
  ),

  law("a strong read shows no two moments, whatever is kept and appended between its reads", needs, function*(
    _store,
    { core, elsewhere }
  ) {
    for (const nth of [0, 1, 2, 3, 4]) {
      const backend = yield* elsewhere
      const store = yield* core.makeStore(backend)
      yield* move(store, 6)
      yield* core.catchUp(store, moves)
      yield* move(store, 6, 7)
      const meanwhile = Effect.andThen(move(store, 2, 13), core.catchUp(store, moves))
      const read = yield* core.makeStore(disturbed(nth, meanwhile)(backend))
      yield* isStrong(core, read, store, `when others come before read ${nth}`)
      yield* holds((yield* store.head) > 0, "there is nothing")
    }
  }),

  law("a strong query finds what a query finds once the model is there, page by page", needs, function*(
    store,
    { core }
  ) {
    yield* change(store, 20)
    yield* core.catchUp(store, tickets)
    yield* change(store, 20, 15)
    const strongly: Core = { ...core, query: (on, model, asked) => core.strong(on, model).query(asked) }
    const found = yield* Effect.forEach(
      cases,
      ({ asked }) => Effect.map(pagesOf(strongly, store, { ...asked, limit: 3 }), (pages) => pages.found)
    )
    yield* core.catchUp(store, tickets)
    for (const [i, { asked }] of cases.entries()) {
      yield* equal(show(asked), found[i], (yield* pagesOf(core, store, asked)).found)
    }
    yield* holds(found.some(({ length }) => length > 3), "there is hardly anything to find")
  }),

  law("a strong read folds no longer tail than it may", needs, function*(store, { core }) {
    yield* move(store, 4)
    yield* equal("what it took", (yield* core.strong(store, moves).getMany(keys, { tail: 4 })).folded, 4)
    yield* failing("a tail that is too long", core.strong(store, moves).get("a", { tail: 3 }), "Unavailable")
    yield* failing("for a query", core.strong(store, moves).query({ tail: 3 }), "Unavailable")
  }),

  law("a strong read is refused where the model can't take an event of its keys, and there alone", needs, function*(
    store,
    { core }
  ) {
    const broken = ReadModel.make({
      ...definition,
      keys: ({ stream }) => stream,
      step: (seen, event, key) => {
        if (event.data === 3) throw new Unavailable({ operation: "three", reason: "three", remedy: "none" })
        return definition.step(seen, event, key)
      }
    })
    yield* move(store, 4)
    yield* failing("the key of a bad event", core.strong(store, broken).get("b"), "Invalid", "step")
    yield* equal("another key", yield* core.strong(store, broken).get("a"), Option.some(" 1 2 4"))
  }),

  law("a strong read of another history, of other events or of truncated streams is refused", [
    ...needs,
    "truncate"
  ], function*(store, { core, over }) {
    yield* move(store, 6)
    yield* core.catchUp(store, moves)
    const other = ReadModel.make({ ...definition, prefix: "b" })
    yield* failing("over other events", core.strong(store, other).get("b"), "Invalid", "events")
    const elsewhere = yield* over(restored)
    yield* failing("of another history", core.strong(elsewhere, moves).get("a"), "Corrupt", moves.reader)
    yield* store.log().truncate("a", 2)
    const next = ReadModel.make({ ...definition, version: 2 })
    yield* failing("of what is left", core.strong(store, next).get("a"), "Invalid", "allowTruncated")
    const left = yield* core.strong(store, next).get("b", { allowTruncated: true })
    yield* equal("where that is allowed", left, Option.some(" 3 6"))
    yield* equal("what was built before", yield* core.strong(store, moves).get("b"), Option.some(" 3 6"))
  })
]
