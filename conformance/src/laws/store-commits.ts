/** Laws of a store's commits: all of them or nothing, told to whoever asked, once under each id. */
import { type Flight, OnFlush, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { equal, every, holds, present } from "../assertion.ts"
import { failingFirst } from "../gate.ts"
import { at, count, dataIn, dataOf, done, failing, fill, input, lost } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store commits")
const same = <A>(value: A): A => value
const down = new Unavailable({ operation: "commit", reason: "the disk is away", remedy: "try again" })

/** Laws of commits. */
export const storeCommits = [
  law("a commit of several operations does all of them, and tells where each went", ["atomic"], function*(store) {
    const log = store.log()
    const kv = store.kv("n")
    const outcome = yield* done(store.commit([
      log.ops.append("s", [input(1), input(2)], { expected: 0 }),
      kv.ops.put("a", "1"),
      log.ops.append("t", input(3), { expected: "any" }),
      kv.ops.put("b", "2", { expected: "absent" })
    ]))
    const places = yield* Effect.forEach(["s", "t"], (stream) => Stream.runCollect(log.read(stream)))
    yield* equal("data", places.map((events) => events.map(({ data }) => data)), [[1, 2], [3]])
    yield* equal(
      "where the events are",
      places.map((events) => events.map(({ position, seq }) => [seq, position])),
      outcome.appended.map(({ first, firstPosition, last, lastPosition }) =>
        first === last ? [[first, firstPosition]] : [[first, firstPosition], [last, lastPosition]]
      )
    )
    const entries = yield* kv.getMany(["a", "b"])
    yield* equal("revisions", entries.map(Option.map(({ revision }) => revision)), outcome.revisions.map(Option.some))
    yield* equal("values", entries.map(Option.map(({ value }) => value)), [Option.some("1"), Option.some("2")])
  }),

  law("a commit that conflicts leaves no trace in any stream or key", ["atomic"], function*(store) {
    const log = store.log()
    const kv = store.kv("n")
    yield* fill(store, "s", [1])
    yield* kv.put("k", "1")
    const conflict = yield* lost(store.commit([
      log.ops.append("s", input(2), { expected: 1 }),
      kv.ops.put("k", "2"),
      kv.ops.put("new", "2"),
      log.ops.append("t", input(2), { expected: 0 }),
      log.ops.check("u", "exists")
    ]))
    yield* equal("what did not hold", conflict.expectation, { _tag: "Stream", stream: "u", expected: "exists" })
    yield* equal("data", [yield* dataOf(store, "s"), yield* dataOf(store, "t")], [[1], []])
    yield* equal("values", [yield* kv.get("k"), yield* kv.get("new")], [Option.some("1"), Option.none()])
  }),

  law("a commit may only expect, and then it changes nothing", ["atomic"], function*(store) {
    const log = store.log()
    yield* fill(store, "s", [1, 2])
    yield* store.kv("n").put("k", "1")
    const head = yield* store.head
    yield* done(store.commit([log.ops.check("s", 2), store.kv("n").ops.check("k", "exists")]))
    yield* done(store.commit([log.ops.check("t", 0), store.kv("n").ops.check("j", "absent")]))
    yield* equal("actual seq", (yield* lost(store.commit([log.ops.check("s", 1)]))).actual, 2)
    yield* lost(store.commit([log.ops.check("s", 2), store.kv("n").ops.check("j", "exists")]))
    yield* equal("head", yield* store.head, head)
    yield* equal("data", yield* dataOf(store, "s"), [1, 2])
  }),

  law("appends to one stream in a row are one append of the commit", ["atomic"], function*(store) {
    const { append } = store.log().ops
    const { appended } = yield* done(store.commit([
      append("s", input(1), { expected: 0 }),
      append("s", [input(2), input(3)], { expected: 1 }),
      append("s", input(4), { expected: "any" })
    ]))
    yield* equal("seqs", appended.map(({ first, last, stream }) => ({ stream, first, last })), [
      { stream: "s", first: 1, last: 4 }
    ])
    yield* equal("data", yield* dataOf(store, "s"), [1, 2, 3, 4])
  }),

  law("commits made at once are each told their own outcome", [], function*(store) {
    const told = yield* fill(store, "s", count(64))
    yield* equal("seqs that were told", told.map(({ first, last }) => [first, last]), count(64).map((n) => [n, n]))
    const events = yield* Stream.runCollect(store.log().read("s"))
    yield* equal("positions", events.map(({ position }) => position), told.map(({ lastPosition }) => lastPosition))
    yield* equal("data", dataIn(events), count(64))
  }),

  law("of commits made at once one's conflict is no other's", [], function*(store) {
    const log = store.log()
    const outcomes = yield* Effect.forEach(
      [["s", 0], ["s", 0], ["t", 0], ["t", 1], ["t", 7], ["u", 0]] as const,
      ([stream, expected], n) => log.append(stream, input(n), { expected }),
      { concurrency: "unbounded" }
    )
    const [won, missed] = ["Committed", "Conflict"]
    yield* equal("outcomes", outcomes.map(({ _tag }) => _tag), [won, missed, won, won, missed, won])
    yield* equal("data", yield* Effect.forEach(["s", "t", "u"], (stream) => dataOf(store, stream)), [[0], [2, 3], [5]])
  }),

  law("the head is where the last commit is", [], function*(store) {
    const before = yield* store.head
    for (const n of count(3)) {
      const { position } = yield* done(store.log().append("s", input(n), { expected: n - 1 }))
      yield* equal("head", yield* store.head, position)
    }
    const { revision } = yield* store.kv("n").put("k", "1")
    yield* equal("head after a put", yield* store.head, revision)
    yield* holds(before < revision, "the head did not move")
  }),

  law("everything in a commit happened when it says, and else when the clock says", ["atomic"], function*(store) {
    const commit = (options: { readonly at?: number }) =>
      store.commit([
        store.log().ops.append("s", [input(1), { ...input(2), at: 7 }], { expected: "any" }),
        store.kv("n").ops.put("k", "1")
      ], options)
    const times = Effect.gen(function*() {
      const events = yield* Stream.runCollect(store.log().read("s"))
      const entry = yield* present("k", Option.getOrUndefined(yield* store.kv("n").entry("k")))
      return [...events.slice(-2).map((event) => event.at), entry.at]
    })
    yield* done(at(1234, commit({})))
    yield* equal("times by the clock", yield* times, [1234, 7, 1234])
    yield* done(at(1234, commit({ at: 5 })))
    yield* equal("times as given", yield* times, [5, 7, 5])
  }),

  law("the same commit under one id happens once, and is told its first outcome again", ["resolve"], function*(store) {
    const append = () => done(store.log().append("s", input(1), { expected: "any", id: "one" }))
    // The clock doesn't count as content: a retry comes later.
    const first = yield* at(1000, append())
    const [second, third] = yield* at(2000, Effect.all([append(), append()], { concurrency: "unbounded" }))
    yield* equal("repeated", [first.repeated, second.repeated, third.repeated], [false, true, true])
    for (const again of [second, third]) {
      yield* equal("outcome", { ...again, repeated: false }, { ...first, repeated: false })
    }
    yield* equal("data", yield* dataOf(store, "s"), [1])
  }),

  law("a commit id that was used for something else is refused, and nothing of it happens", ["resolve"], function*(
    store
  ) {
    const append = (stream: string, data: number, options: { readonly at?: number } = {}) =>
      store.log().append(stream, input(data), { expected: "any", id: "one", ...options })
    yield* append("s", 1)
    yield* failing("other data", append("s", 2), "Invalid", "id")
    yield* failing("another stream", append("t", 1), "Invalid", "id")
    yield* failing("another time", append("s", 1, { at: 5 }), "Invalid", "id")
    yield* failing("a key", store.kv("n").put("k", "1", { id: "one" }), "Invalid", "id")
    yield* equal("data", [yield* dataOf(store, "s"), yield* dataOf(store, "t")], [[1], []])
    yield* equal("key", yield* store.kv("n").get("k"), Option.none())
  }),

  law("what became of a commit is found by its id", ["resolve"], function*(store) {
    const log = store.log()
    const { position } = yield* done(log.append("s", input(1), { expected: 0, id: "won" }))
    yield* lost(log.append("s", input(2), { expected: 0, id: "lost" }))
    const found = Option.map(
      yield* store.resolve("won"),
      (committed) => [committed.position, committed.appended.length]
    )
    yield* equal("the commit that won", found, Option.some([position, 1]))
    yield* equal("the commit that lost", yield* store.resolve("lost"), Option.none())
  }),

  law("a commit that left nothing behind is sent again", [], function*(_store, { over }) {
    const store = yield* at(0, over((backend) => failingFirst(backend, "before", [down, down])))
    const { first } = yield* done(store.log().append("s", input(1), { expected: 0 }))
    yield* equal("seq", Number(first), 1)
    yield* equal("data", yield* dataOf(store, "s"), [1])
  }),

  law("a commit that can't be brought through fails as Unavailable, and nothing of it happens", [], function*(
    _store,
    { over }
  ) {
    const store = yield* at(0, over((backend) => failingFirst(backend, "before", [down, down]), { retries: 1 }))
    yield* failing("a commit", store.log().append("s", input(1), { expected: 0 }), "Unavailable")
    yield* equal("data", yield* dataOf(store, "s"), [])
    yield* done(store.log().append("s", input(2), { expected: 0 }))
    yield* equal("data when it works again", yield* dataOf(store, "s"), [2])
  }),

  law("a commit whose reply was lost happens once", ["resolve"], function*(_store, { over }) {
    // Whoever can lose replies says so; core then gives every commit an id.
    const store = yield* at(
      0,
      over((backend) =>
        failingFirst({ ...backend, about: { ...backend.about, ambiguous: true } }, "after", [down, down])
      )
    )
    const { first } = yield* done(store.log().append("s", input(1), { expected: "any" }))
    yield* equal("seq", Number(first), 1)
    yield* equal("data", yield* dataOf(store, "s"), [1])
  }),

  law("a store that closes flushes what it was given, and refuses what comes after", [], function*(_store, { over }) {
    const scope = yield* Scope.make()
    const store = yield* Scope.provide(over(same), scope)
    const given = yield* Effect.forkChild(fill(store, "s", count(5)), { startImmediately: true })
    yield* Scope.close(scope, Exit.void)
    yield* equal("seqs", (yield* Fiber.join(given)).map(({ last }) => Number(last)), count(5))
    yield* failing("an append", fill(store, "s", [6]), "Invalid", "store")
    yield* failing("a read", dataOf(store, "s"), "Invalid", "store")
    yield* failing("a get", store.kv("n").get("k"), "Invalid", "store")
  }),

  law("who listens for the flush hears of every commit that happens", ["atomic"], function*(store) {
    const heard: Array<number> = []
    const flights: Array<Flight> = []
    const listening = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.provideService(effect, OnFlush, (flight) => {
        heard.push(flight.commit.append.length + flight.commit.write.length)
        flights.push(flight)
      })
    yield* done(listening(store.log().append("s", input(1), { expected: 0 })))
    yield* done(listening(store.commit([
      store.log().ops.append("s", input(2), { expected: 1 }),
      store.kv("n").ops.put("k", "1")
    ])))
    yield* fill(store, "t", [1])
    yield* lost(listening(store.log().append("s", input(3), { expected: 9 })))
    yield* equal("parts of the commits that were heard of", heard, [1, 2, 1])
    const told = flights.map(({ outcome }) => outcome?._tag === "Success" ? outcome.value._tag : outcome)
    yield* equal("what became of them", told, ["Committed", "Committed", "Conflict"])
    yield* every("events", yield* dataOf(store, "s"), (data) => typeof data === "number")
  })
]
