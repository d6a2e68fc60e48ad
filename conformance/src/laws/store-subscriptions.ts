/** Laws of subscriptions: catch up, then follow, without gap or repetition, whatever the others do. */
import { anyEvents, Catalogue, type StoreError, type StoreShape } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { equal, every, holds, present } from "../assertion.ts"
import { noted } from "../gate.ts"
import { allData, count, dataIn, dataOf, done, failing, fill, input } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store subscriptions")
const everything = { events: anyEvents, from: "start" } as const
const early = { startImmediately: true } as const

const taking = <A>(events: Stream.Stream<{ readonly data: A }, StoreError>, many: number) =>
  events.pipe(Stream.take(many), Stream.runCollect, Effect.map((found) => found.map(({ data }) => data)))

const manyYields = Effect.forEach(count(20), () => Effect.yieldNow, { discard: true })

// Writers at once, each with streams of its own.
const writers = (store: StoreShape, each: number) =>
  Effect.forEach(
    ["a", "b", "c"],
    (stream) =>
      Effect.forEach(count(each), (n) => Effect.andThen(fill(store, stream, [`${stream}${n}`]), Effect.yieldNow)),
    { concurrency: "unbounded" }
  )

/** Laws of subscribers. */
export const storeSubscriptions = [
  law("a subscriber gets what is there and then what comes, each event once and in its order", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", count(7))
    const follow = taking(core.subscribe(store, { ...everything, batch: 3 }), 7 + 3 * 15)
    const [first, , late] = yield* Effect.all(
      [follow, writers(store, 15), Effect.andThen(manyYields, follow)],
      { concurrency: "unbounded" }
    )
    const all = yield* allData(store)
    yield* equal("one who began before", first, all)
    yield* equal("one who began meanwhile", late, all)
    yield* equal("one who begins after", yield* follow, all)
  }),

  law("a subscriber from the end gets what comes from then on, and nothing before", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", ["old", "older"])
    const begun = yield* Deferred.make<void>()
    const seen = yield* core.subscribe(store, { ...everything, from: "end" }).pipe(
      Stream.tap(() => Deferred.succeed(begun, undefined)),
      Stream.filter(({ data }) => data !== "marker"),
      (events) => taking(events, 2),
      Effect.forkChild(early)
    )
    // That it has begun shows only in what it sees.
    yield* Effect.forEach(
      count(1000),
      () =>
        Effect.flatMap(
          Deferred.isDone(begun),
          (isDone) => isDone ? Effect.void : Effect.andThen(fill(store, "marker", ["marker"]), Effect.yieldNow)
        ),
      { discard: true }
    )
    yield* fill(store, "s", ["new", "newer"])
    yield* equal("data", yield* Fiber.join(seen), ["new", "newer"])
  }),

  law("a subscriber from a position gets what comes after it", ["readAll"], function*(store, { core }) {
    const told = yield* fill(store, "s", count(6))
    for (const [n, { position }] of told.entries()) {
      const seen = yield* Effect.forkChild(
        taking(core.subscribe(store, { ...everything, from: { position } }), 1),
        early
      )
      if (n === told.length - 1) yield* fill(store, "s", [7])
      yield* equal(`after event ${n + 1}`, yield* Fiber.join(seen), [n + 2])
    }
  }),

  law("a subscriber from a reader's checkpoint gets what comes after it, and leaves it there", ["readAll"], function*(
    store,
    { core }
  ) {
    const [, second] = yield* fill(store, "s", count(4))
    const { position } = yield* present("the second event", second)
    const registered = yield* core.registerReader(store, "reader", { from: { position } })
    const subscribe = core.subscribe(store, { ...everything, from: { checkpoint: "reader" } })
    yield* equal("data", yield* taking(subscribe, 2), [3, 4])
    yield* equal("once more", yield* taking(subscribe, 2), [3, 4])
    const checkpoint = yield* core.readCheckpoint(store, "reader")
    yield* equal("checkpoint", checkpoint._tag === "Some" && checkpoint.value.revision, registered.revision)
    const unknown = core.subscribe(store, { ...everything, from: { checkpoint: "nobody" } })
    yield* failing("from a reader that isn't there", taking(unknown, 1), "Invalid")
  }),

  law("a subscriber with a filter gets what it lets through, now and later", ["readAll"], function*(store, { core }) {
    const write = Effect.gen(function*() {
      for (const stream of ["a/1", "b/1", "a/2"]) {
        for (const type of ["X", "Y", "Z"]) yield* fill(store, stream, [`${stream} ${type}`], type)
      }
    })
    yield* write
    const numbers = Catalogue.make({ X: Schema.String, Z: Schema.String }, { unknown: "skip" })
    const seen = yield* Effect.forkChild(
      Effect.all([
        taking(core.subscribe(store, { ...everything, prefix: "a/", types: ["X", "Y"] }), 8),
        taking(core.subscribe(store, { ...everything, events: numbers, prefix: "b/" }), 4)
      ], { concurrency: "unbounded" }),
      early
    )
    yield* manyYields
    yield* write
    const [byHand, byCatalogue] = yield* Fiber.join(seen)
    const ours = ["a/1 X", "a/1 Y", "a/2 X", "a/2 Y"]
    yield* equal("by prefix and types", byHand, [...ours, ...ours])
    yield* equal("by catalogue", byCatalogue, ["b/1 X", "b/1 Z", "b/1 X", "b/1 Z"])
  }),

  law(
    "a slow subscriber holds nobody up, and little is read ahead of it",
    ["readAll"],
    function*(store, { core, over }) {
      yield* fill(store, "s", count(60))
      let asked: ReturnType<typeof noted>["asked"] = []
      const watched = yield* over((backend) => {
        const notes = noted(backend)
        asked = notes.asked
        return notes.backend
      })
      const [first, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const slow = yield* core.subscribe(watched, { ...everything, batch: 5 }).pipe(
        Stream.tap(() => Effect.andThen(Deferred.succeed(first, undefined), Deferred.await(goOn))),
        (events) => taking(events, 90),
        Effect.forkChild(early)
      )
      yield* Deferred.await(first)
      yield* fill(store, "s", count(30, 61))
      yield* manyYields
      const ahead = asked.reduce((sum, { gave }) => sum + gave, 0)
      yield* holds(ahead > 0 && ahead <= 10, `${ahead} events were read for one who asked for five`)
      yield* Deferred.succeed(goOn, undefined)
      yield* equal<unknown>("data", yield* Fiber.join(slow), count(90))
    }
  ),

  law(
    "a subscriber passes over what was truncated and deleted, and misses nothing else",
    ["readAll", "truncate"],
    function*(
      store,
      { core }
    ) {
      const log = store.log()
      for (const n of count(5)) {
        yield* fill(store, "cut", [`cut${n}`])
        yield* fill(store, "gone", [`gone${n}`])
      }
      yield* fill(store, "kept", ["kept"])
      yield* log.truncate("cut", 5)
      yield* log.delete("gone", { expected: 5 })
      // What is to be seen of it is seen before more is truncated.
      const metKept = yield* Deferred.make<void>()
      const seen = yield* core.subscribe(store, { ...everything, batch: 2 }).pipe(
        Stream.tap(({ data }) => data === "kept" ? Deferred.succeed(metKept, undefined) : Effect.void),
        (events) => taking(events, 4),
        Effect.forkChild(early)
      )
      yield* Effect.raceFirst(Deferred.await(metKept), Fiber.await(seen))
      yield* fill(store, "gone", ["back"])
      yield* log.truncate("cut", 9)
      yield* fill(store, "cut", ["again"])
      yield* equal("data", yield* Fiber.join(seen), ["cut5", "kept", "back", "again"])
    }
  ),

  law("every way to commit an event reaches every subscriber", ["readAll", "atomic"], function*(store, { core }) {
    const log = store.log()
    const follow = Effect.forkChild(taking(core.subscribe(store, everything), 6), early)
    const seen = [yield* follow, yield* follow]
    yield* manyYields
    yield* log.append("s", input("append"), { expected: 0 })
    yield* log.append("t", [input("several"), input("at once")], { expected: "any" })
    yield* store.commit([store.kv("n").ops.put("k", 1), log.ops.append("u", input("with a key"), { expected: 0 })])
    yield* log.append("s", { ...input("import"), at: -5, id: "x" }, { expected: 1, at: 3 })
    yield* log.append("$own", input("the store's own"), { expected: "any" })
    for (const one of seen) {
      yield* equal("data", yield* Fiber.join(one), [
        "append",
        "several",
        "at once",
        "with a key",
        "import",
        "the store's own"
      ])
    }
  }),

  law("a subscriber hears of what another handle appends", ["readAll", "shared"], function*(store, { core, second }) {
    const other = yield* second
    const seen = yield* Effect.forkChild(taking(core.subscribe(store, everything), 4), early)
    for (const n of count(2)) {
      yield* fill(store, "s", [`own ${n}`])
      // So that what wakes it for its own commit comes too early for the other's.
      yield* manyYields
      yield* fill(other, "s", [`other ${n}`])
    }
    yield* equal("data", yield* Fiber.join(seen), yield* dataOf(store, "s"))
  }),

  law("a subscriber who fails or goes takes nobody with it", ["readAll"], function*(store, { core }) {
    const stays = yield* Effect.forkChild(taking(core.subscribe(store, everything), 3), early)
    const fails = yield* core.subscribe(store, everything).pipe(
      Stream.runForEach(() => Effect.die(new Error("the handler threw"))),
      Effect.exit,
      Effect.forkChild(early)
    )
    const goes = yield* Effect.forkChild(Stream.runDrain(core.subscribe(store, everything)), early)
    yield* fill(store, "s", [1])
    yield* equal("how it ended", (yield* Fiber.join(fails))._tag, "Failure")
    yield* Fiber.interrupt(goes)
    yield* fill(store, "s", [2, 3])
    yield* equal("data of the one who stays", yield* Fiber.join(stays), [1, 2, 3])
  }),

  law("pages tell how far they looked, over whatever the filter leaves out", ["readAll"], function*(store, { core }) {
    yield* fill(store, "other", count(30))
    yield* fill(store, "ours", ["one"])
    yield* fill(store, "other", count(30))
    yield* done(store.log().append("other", input("last"), { expected: "any" }))
    const head = yield* store.head
    const pages = yield* core.subscribePages(store, { ...everything, prefix: "ours", batch: 4 }).pipe(
      Stream.takeUntil(({ through }) => through >= head),
      Stream.runCollect
    )
    yield* equal("events", dataIn(pages.flatMap(({ items }) => items)), ["one"])
    yield* every(
      "how far pages looked",
      pages,
      ({ items, through }, n) =>
        through > (pages[n - 1]?.through ?? 0) && items.every(({ position }) => position <= through)
    )
    yield* equal("how far the last one looked", pages.at(-1)?.through, head)
  }),

  law("everything before an event that can't be decoded is given, and then that it can't", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", count(5), "Known")
    yield* fill(store, "s", ["poison"], "Known")
    yield* fill(store, "s", count(5), "Known")
    const seen: Array<unknown> = []
    const reading = core.subscribe(store, { events: Catalogue.make({ Known: Schema.Finite }), from: "start" }).pipe(
      Stream.runForEach(({ data }) => Effect.sync(() => seen.push(data)))
    )
    yield* failing("reading on", reading, "Corrupt", "event 6")
    yield* equal<unknown>("what came before", seen, count(5))
  })
]
