/** Laws of read models: each event takes effect exactly once, however it was paged, whoever crashed or ran beside. */
import type { BackendShape, EventOf, StoreShape } from "@persist/core"
import { Catalogue, ReadModel } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { equal, every, holds, show } from "../assertion.ts"
import { mortal } from "../gate.ts"
import type { Need } from "../law.ts"
import { at, count, failing, fill } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store read models")
const needs: ReadonlyArray<Need> = ["readAll", "scan", "atomic", "streams"]

const Stock = Catalogue.make({ Moved: Schema.Finite, Dropped: Schema.Finite }, { unknown: "skip" })

const Tally = Schema.Struct({ seen: Schema.Array(Schema.String), on: Schema.Date })

// What it moved lies under two keys, what it dropped takes its stream's key away, and every fifth event is nobody's.
const definition = {
  name: "stock",
  version: 1,
  events: Stock,
  keys: ({ data, stream, type }: EventOf<typeof Stock>) =>
    data % 5 === 0 ? [] : type === "Dropped" ? stream : [stream, "all"],
  seed: { seen: [], on: new Date(0) },
  step: (state: typeof Tally.Type, { at: time, data, type }: EventOf<typeof Stock>) =>
    type === "Dropped" ? undefined : { seen: [...state.seen, `${data}`], on: new Date(time) },
  value: Tally
}
const stock = ReadModel.make(definition)

type StockModel = ReadModel<typeof Stock, typeof Tally.Type>

// The same fold in a few lines, over everything at once.
const answer = (events: ReadonlyArray<EventOf<typeof Stock>>): Readonly<Record<string, unknown>> => {
  const states = new Map<string, typeof Tally.Type>()
  for (const event of events) {
    for (const key of [definition.keys(event)].flat()) {
      const next = definition.step(states.get(key) ?? definition.seed, event)
      if (next === undefined) states.delete(key)
      else states.set(key, next)
    }
  }
  return Object.fromEntries([...states].map(([key, { on, seen }]) => [key, [...seen, on.getTime()]]))
}

const move = (store: StoreShape, many: number, first = 1) =>
  Effect.forEach(count(many, first), (n) =>
    store.log(Stock).append(n % 3 === 0 ? "b" : "a", {
      type: n % 7 === 0 ? "Dropped" : "Moved",
      data: n,
      at: n
    }, { expected: "any" }), { concurrency: "unbounded", discard: true })

// Fails unless the model shows what a fold of the whole log gives, and something at all.
const isRight = Effect.fnUntraced(function*(store: StoreShape, what: string, model: StockModel = stock) {
  const events = yield* Stream.runCollect(store.log(Stock).readAll({ prefix: model.prefix }))
  const entries = yield* Stream.runCollect(model.kv(store).scan())
  const shown = Object.fromEntries(entries.map(({ key, value }) => [key, [...value.seen, value.on.getTime()]]))
  yield* equal<unknown>(what, shown, answer(events))
  yield* holds(entries.length > 0, `${what}: it shows nothing`)
})

const pagedBy = (size: number) => (backend: BackendShape): BackendShape => ({
  ...backend,
  readAll: (range) => backend.readAll({ ...range, limit: Math.min(range.limit, size) })
})

const restored = (backend: BackendShape): BackendShape => ({
  ...backend,
  about: { ...backend.about, incarnation: `${backend.about.incarnation} restored` }
})

/** Laws of read models. */
export const storeReadModels = [
  law("a read model shows the fold of its events, key by key, and tells what it took", [...needs, "delete"], function*(
    store,
    { core }
  ) {
    yield* move(store, 20)
    yield* fill(store, "a", ["nothing of its own"], "Other")
    const built = yield* core.catchUp(store, stock)
    yield* equal("what it took", built._tag === "CaughtUp" ? built.events : built, 20)
    yield* isRight(store, "the model")
    yield* equal("a key without a state", yield* stock.kv(store).get("nobody"), Option.none())
    const again = yield* core.catchUp(store, stock)
    yield* equal("once more", again._tag === "CaughtUp" ? [again.events, again.writes] : again, [0, 0])
  }),

  law("a read model is the same in whatever pages its events come", [...needs, "delete"], function*(
    _store,
    { core, elsewhere }
  ) {
    for (const size of [1, 2, 3, 7, 1000]) {
      const backend = yield* elsewhere
      const store = yield* core.makeStore(backend)
      const paged = yield* core.makeStore(pagedBy(size)(backend))
      for (const first of [1, 5, 6, 17]) {
        yield* move(store, first === 17 ? 9 : 5, first)
        yield* core.catchUp(paged, stock)
        yield* isRight(store, `in pages of ${size}`)
      }
    }
  }),

  law("a read model that crashes at any commit takes every event into account once", [...needs, "delete"], function*(
    _store,
    { core, elsewhere }
  ) {
    let crashes = 0
    for (const moment of ["before", "after"] as const) {
      for (const nth of [0, 1, 2, 3, 4, 5]) {
        const backend = yield* elsewhere
        const store = yield* core.makeStore(backend)
        yield* move(store, 9)
        const process = mortal(pagedBy(3)(backend), nth, moment)
        const dying = yield* core.makeStore(process.backend, { retries: 0 })
        yield* Effect.exit(core.catchUp(dying, stock))
        if (process.died()) crashes++
        yield* move(store, 2, 10)
        yield* core.catchUp(store, stock)
        yield* isRight(store, `after a crash ${moment} commit ${nth}`)
      }
    }
    yield* holds(crashes >= 6, `there were only ${crashes} crashes`)
  }),

  law("several who keep one read model at once take every event into account once", [...needs, "delete"], function*(
    _store,
    { core, over }
  ) {
    // Small pages and many of them, so that they overtake each other.
    const paged = yield* over(pagedBy(1))
    yield* move(paged, 15)
    const outcomes = yield* Effect.forEach([1, 2, 3], () => core.catchUp(paged, stock), { concurrency: "unbounded" })
    yield* every("outcomes", outcomes, ({ _tag }) => _tag === "CaughtUp" || _tag === "Fenced")
    yield* holds(outcomes.some(({ _tag }) => _tag === "Fenced"), `nobody was fenced: ${show(outcomes)}`)
    yield* core.catchUp(paged, stock)
    yield* isRight(paged, "the model")
  }),

  law("a read model follows, and shows an event to whoever waits for it", [...needs, "delete"], function*(
    store,
    { core }
  ) {
    yield* move(store, 4)
    const running = yield* Effect.forkChild(core.runReadModel(store, stock), { startImmediately: true })
    for (const n of count(5, 5)) {
      yield* move(store, 1, n)
      yield* core.waitFor(store, stock, yield* store.head)
      yield* isRight(store, `when it has come to event ${n}`)
    }
    yield* Fiber.interrupt(running)
    yield* move(store, 1, 11)
    const waiting = at(0, core.waitFor(store, stock, yield* store.head, { within: 1000 }))
    yield* failing("waiting for one that doesn't run", waiting, "Unavailable")
  }),

  law("a read model that is run in two places goes on in one, and the other is fenced", [...needs, "delete"], function*(
    store,
    { core }
  ) {
    yield* move(store, 4)
    const running = yield* Effect.forEach(
      [1, 2],
      () => Effect.forkChild(core.runReadModel(store, stock), { startImmediately: true })
    )
    yield* core.waitFor(store, stock, yield* store.head)
    for (const n of count(6, 5)) {
      yield* move(store, 1, n)
      yield* core.waitFor(store, stock, yield* store.head)
    }
    const first = yield* Effect.raceAll(running.map((fiber) => Fiber.join(fiber)))
    yield* equal("the one who stopped", first._tag, "Fenced")
    yield* move(store, 1, 11)
    yield* core.waitFor(store, stock, yield* store.head)
    yield* isRight(store, "the model of the one who goes on")
    yield* Effect.forEach(running, Fiber.interrupt)
  }),

  law("a read model that is rebuilt is what it was, and holds nothing else", [...needs, "delete", "clear"], function*(
    store,
    { core }
  ) {
    for (const first of [1, 5, 9]) {
      yield* move(store, 4, first)
      yield* core.catchUp(store, stock)
    }
    // What nobody but the model may write: a wrong state, and a key that no event has.
    yield* store.kv(stock.namespace).put("a", { seen: ["wrong"], on: "1970-01-01T00:00:00.000Z" })
    yield* store.kv(stock.namespace).put("stray", { seen: [], on: "1970-01-01T00:00:00.000Z" })
    const rebuilt = yield* core.rebuild(store, stock)
    yield* equal("events that were folded", rebuilt._tag === "CaughtUp" && rebuilt.events, 12)
    yield* isRight(store, "the model")
  }),

  law("a new version of a read model is built beside the old one", [...needs, "delete"], function*(store, { core }) {
    const next = ReadModel.make({ ...definition, version: 2, prefix: "b" })
    yield* move(store, 8)
    yield* core.catchUp(store, stock)
    yield* core.catchUp(store, next)
    yield* isRight(store, "the new one", next)
    yield* isRight(store, "the old one")
    yield* equal("keys of the new one", yield* next.kv(store).has("a"), false)
  }),

  law("a read model moves on over what is none of its events", needs, function*(store, { core }) {
    yield* move(store, 3)
    yield* core.catchUp(store, stock)
    yield* fill(store, "other", count(30), "Other")
    const head = yield* store.head
    yield* core.catchUp(store, stock)
    const [reader] = yield* core.listReaders(store)
    yield* equal("its name among the readers", reader?.name, stock.reader)
    yield* core.waitFor(store, stock, head)
    yield* isRight(store, "the model")
  }),

  law(
    "a read model whose checkpoint is of another history is told so, and mended by a rebuild",
    [...needs, "clear"],
    function*(
      store,
      { core, over }
    ) {
      yield* move(store, 4)
      yield* core.catchUp(store, stock)
      const other = yield* over(restored)
      yield* failing("catching up", core.catchUp(other, stock), "Corrupt", stock.reader)
      yield* core.rebuild(other, stock)
      yield* move(other, 2, 5)
      yield* core.catchUp(other, stock)
      yield* isRight(other, "the model after a rebuild")
    }
  ),

  law("a read model is not begun over truncated streams unless it is told to", [...needs, "truncate"], function*(
    store,
    { core }
  ) {
    yield* move(store, 6)
    yield* store.log().truncate("a", 2)
    yield* failing("catching up", core.catchUp(store, stock), "Invalid", "allowTruncated")
    yield* equal("what it holds", yield* stock.kv(store).count(), 0)
    yield* core.catchUp(store, stock, { allowTruncated: true })
    yield* isRight(store, "what is left")
    // Once begun, it goes on over what it has read.
    yield* store.log().truncate("b", 2)
    yield* move(store, 1, 8)
    const more = yield* core.catchUp(store, stock)
    yield* equal("events that it goes on with", more._tag === "CaughtUp" && more.events, 1)
  }),

  law("a read model that throws keeps everything before that event, and goes on there when it is mended", [
    ...needs,
    "delete"
  ], function*(store, { core }) {
    const broken = ReadModel.make({
      ...definition,
      step: (state: typeof Tally.Type, event: EventOf<typeof Stock>) => {
        if (event.data === 6) throw new Error("six")
        return definition.step(state, event)
      }
    })
    yield* move(store, 9)
    for (const _ of count(2)) yield* failing("keeping it", core.catchUp(store, broken), "Invalid", "step")
    const all = yield* stock.kv(store).get("all")
    yield* equal("what came before", Option.map(all, ({ seen }) => seen), Option.some(["1", "2", "3", "4"]))
    const mended = yield* core.catchUp(store, stock)
    yield* equal("events from there on", mended._tag === "CaughtUp" && mended.events, 4)
    yield* isRight(store, "the mended one")
  }),

  law("a read model takes no namespace that holds another's keys", needs, function*(store, { core }) {
    yield* move(store, 3)
    yield* store.kv(stock.namespace).put("theirs", { seen: [], on: "1970-01-01T00:00:00.000Z" })
    yield* failing("catching up", core.catchUp(store, stock), "Invalid", "name")
    yield* equal("their key", yield* store.kv(stock.namespace).has("theirs"), true)
    const other = ReadModel.make({ ...definition, name: "own" })
    yield* core.catchUp(store, other)
    yield* isRight(store, "one with a name of its own", other)
  })
]
