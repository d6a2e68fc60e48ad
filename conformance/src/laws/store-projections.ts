/** Laws of projections: a fold over a store is the fold of its events, now or as of any moment. */
import { Catalogue, fold, Projection } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { equal, every, holds, present } from "../assertion.ts"
import { book, booked, bookLong, history, latest, Ledger, trail } from "../ledger.ts"
import { count, failing, fill, stillWaits } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store projections")

const sumOf = (events: Catalogue<{ readonly Known: typeof Schema.Finite }>) =>
  Projection.make({ name: "sum", version: 1, events, seed: 0, step: (sum, { data }) => sum + Number(data) })

/** Laws of folding the log. */
export const storeProjections = [
  law("a stream's projection is the fold of its events, and tells what is in it", ["streams"], function*(
    store,
    { core }
  ) {
    yield* book(store, ["a", "b"], 11)
    const events = yield* booked(store, "a")
    const { position, replayed, seq, state } = yield* core.project(store, history, { stream: "a" })
    yield* equal("state", state.seen, fold(history, events).seen)
    yield* equal("sum", state.sums.get("a"), fold(history, events).sums.get("a"))
    const last = yield* present("the last event", events.at(-1))
    yield* equal("where it is", [seq, position, replayed], [last.seq, last.position, events.length])
    const none = yield* core.project(store, history, { stream: "new" })
    yield* equal("of a new stream", [none.state.seen, Number(none.seq), none.replayed], [[], 0, 0])
  }),

  law("a projection of several streams folds them in the order in which it all happened", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* book(store, ["a/1", "b", "a/2", "c"], 40)
    const events = yield* booked(store)
    const scopes = [
      [{ streams: ["c", "a/1", "c"] }, (stream: string) => stream === "c" || stream === "a/1"],
      [{ streams: ["a/1", "a/2", "b", "c", "d"] }, () => true],
      [{ prefix: "a/" }, (stream: string) => stream.startsWith("a/")],
      [{ prefix: "" }, () => true],
      [{ all: true }, () => true]
    ] as const
    for (const [scope, covers] of scopes) {
      const { position, seq, state } = yield* core.project(store, history, scope)
      const covered = events.filter(({ stream }) => covers(stream))
      yield* equal(JSON.stringify(scope), state.seen, fold(history, covered).seen)
      yield* holds(position >= (covered.at(-1)?.position ?? 0), "it says that it hasn't come as far as it has")
      yield* equal("the seq of several streams", seq, undefined)
    }
  }),

  law("a projection longer than a page is the same fold", ["readAll"], function*(store, { core }) {
    yield* book(store, ["a", "b", "a", "c"], 60)
    yield* bookLong(store, "a", 1005)
    yield* book(store, ["a", "b", "a", "c"], 60)
    const events = yield* booked(store)
    const whole = (covers: (stream: string) => boolean) => fold(trail, events.filter(({ stream }) => covers(stream)))
    const read = (scope: Parameters<typeof core.project>[2]) =>
      Effect.map(core.project(store, trail, scope), ({ state }) => state)
    yield* holds((yield* read({ stream: "a" })) === whole((stream) => stream === "a"), "a stream is another fold")
    yield* holds((yield* read({ streams: ["a", "c"] })) === whole((stream) => stream !== "b"), "two are another fold")
    yield* holds((yield* read({ all: true })) === whole(() => true), "all streams are another fold")
  }),

  law("a projection as of a seq is the fold up to it", [], function*(store, { core }) {
    yield* book(store, ["a"], 7)
    const events = yield* booked(store, "a")
    for (const seq of [0, ...count(7)]) {
      const projected = yield* core.project(store, history, { stream: "a", asOf: { seq } })
      yield* equal(`as of ${seq}`, projected.state.seen, fold(history, events.slice(0, seq)).seen)
      yield* equal("its seq", Number(projected.seq), seq)
    }
    yield* failing(
      "as of one to come",
      core.project(store, history, { stream: "a", asOf: { seq: 8 } }),
      "Invalid",
      "seq"
    )
  }),

  law("a projection as of a position is the fold up to it, of whatever streams", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* book(store, ["a", "b", "c"], 12)
    const events = yield* booked(store)
    for (const { position } of events) {
      const before = events.filter((event) => event.position <= position)
      for (const scope of [{ all: true }, { prefix: "a" }, { stream: "b" }, { streams: ["c", "a"] }] as const) {
        const covered = before.filter(({ stream }) =>
          "prefix" in scope ? stream === "a" : "stream" in scope ? stream === "b" : "all" in scope || stream !== "b"
        )
        const { state } = yield* core.project(store, history, { ...scope, asOf: { position } })
        yield* equal(`${JSON.stringify(scope)} as of ${position}`, state.seen, fold(history, covered).seen)
      }
    }
    yield* every("events", events, ({ position }) => position > 0)
  }),

  law(
    "a projection as of a time leaves out what happened later, in whatever order it was appended",
    ["readAll"],
    function*(
      store,
      { core }
    ) {
      const log = store.log(Ledger)
      for (const [n, at] of [30, 10, 50, 20, 40].entries()) {
        yield* log.append(n % 2 === 0 ? "a" : "b", { type: "In", data: at, at }, { expected: "any" })
      }
      for (const at of [0, 10, 35, 50, 99]) {
        const events = (yield* booked(store)).filter((event) => event.at <= at)
        const all = yield* core.project(store, history, { all: true, asOf: { at } })
        yield* equal(`all as of ${at}`, all.state.seen, fold(history, events).seen)
        const one = yield* core.project(store, history, { stream: "a", asOf: { at } })
        yield* equal(`a stream as of ${at}`, one.state.seen, fold(history, events.filter((e) => e.stream === "a")).seen)
      }
      yield* holds((yield* booked(store)).length === 5, "there was nothing to look back at")
    }
  ),

  law("a projection as of a position that the store hasn't come to waits for it", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* book(store, ["a"], 2)
    const position = (yield* store.head) + 1
    const waiting = yield* Effect.forkChild(core.project(store, history, { all: true, asOf: { position } }), {
      startImmediately: true
    })
    yield* stillWaits("a projection as of what is to come", waiting)
    yield* store.log(Ledger).append("a", { type: "In", data: 9 }, { expected: "any" })
    const { state } = yield* Fiber.join(waiting)
    yield* holds(state.seen.length >= 2, "it lost what was there before")
    yield* equal("its beginning", state.seen.slice(0, 2), ["a 1 In 1", "a 2 In 2"])
  }),

  law("every replay begins with a seed of its own", [], function*(store, { core }) {
    yield* fill(store, "s", count(3))
    // A step that changes its state in place harms nobody else, as long as nobody shares the seed.
    const careless = Projection.make({
      name: "careless",
      version: 1,
      seed: { list: [] as Array<unknown> }, // for the step to fill
      step: (state, { data }) => {
        state.list.push(data)
        return state
      }
    })
    for (const round of count(3)) {
      const { state } = yield* core.project(store, careless, { stream: "s" })
      yield* equal<unknown>(`in round ${round}`, state.list, count(3))
    }
  }),

  law("a projection reads the types of its catalogue, and treats others as that says", ["readAll"], function*(
    store,
    { core }
  ) {
    for (const n of count(6)) yield* fill(store, n % 2 === 0 ? "even" : "odd", [n], n % 3 === 0 ? "Other" : "Known")
    const skipping = sumOf(Catalogue.make({ Known: Schema.Finite }, { unknown: "skip" }))
    for (const scope of [{ all: true }, { streams: ["odd", "even"] }] as const) {
      yield* equal("what it knows", (yield* core.project(store, skipping, scope)).state, 1 + 2 + 4 + 5)
    }
    const strict = sumOf(Catalogue.make({ Known: Schema.Finite }))
    yield* failing("what it must know", core.project(store, strict, { all: true }), "Corrupt", "Other")
    yield* failing("in a stream", core.project(store, strict, { stream: "odd" }), "Corrupt", "Other")
  }),

  law("a step that throws, or waits, is Invalid, and its projection's name and the event are told", [], function*(
    store,
    { core }
  ) {
    yield* fill(store, "s", count(4))
    const throwing = Projection.make({
      name: "throwing",
      version: 1,
      seed: 0,
      step: (sum, { data }) => {
        if (data === 3) throw new Error("three")
        return sum + 1
      }
    })
    const error = yield* failing(
      "a step that throws",
      core.project(store, throwing, { stream: "s" }),
      "Invalid",
      "throwing"
    )
    yield* holds(error.message.includes("seq 3"), `the event isn't told: ${error.message}`)
    const waiting = Projection.make({
      name: "waiting",
      version: 1,
      seed: null,
      step: () => Promise.resolve(1) as never // what no type lets through
    })
    yield* failing("a step that waits", core.project(store, waiting, { stream: "s" }), "Invalid", "waiting")
    yield* equal("one that does neither", (yield* core.project(store, latest, { stream: "s" })).state.many, 4)
  }),

  law("what was truncated is not folded over in silence", ["readAll", "truncate", "streams"], function*(
    store,
    { core }
  ) {
    yield* book(store, ["cut", "whole", "gone"], 12)
    yield* store.log().truncate("cut", 3)
    yield* store.log().delete("gone", { expected: "any" })
    const events = yield* booked(store)
    for (
      const scope of [{ stream: "cut" }, { stream: "gone" }, { streams: ["cut", "whole"] }, { all: true }] as const
    ) {
      yield* failing(JSON.stringify(scope), core.project(store, history, scope), "Invalid", "history")
      const rest = yield* core.project(store, history, { ...scope, allowTruncated: true })
      const covered = events.filter(({ stream }) =>
        "stream" in scope ? stream === scope.stream : "all" in scope || stream !== "gone"
      )
      yield* equal(`what is left of ${JSON.stringify(scope)}`, rest.state.seen, fold(history, covered).seen)
    }
    const whole = yield* core.project(store, history, { stream: "whole" })
    yield* equal("the stream beside them", whole.state.seen.length, 4)
  })
]
