/** Laws of readers: their checkpoints move forwards, by compare-and-set, together with whatever they belong to. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { equal, holds, present } from "../assertion.ts"
import { count, done, failing, fill, lost } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store readers")

/** Laws of readers and checkpoints. */
export const storeReaders = [
  law("a reader begins where it says, and when it is registered again stays where it has come to", [], function*(
    store,
    { core }
  ) {
    const [, second] = yield* fill(store, "s", count(4))
    const { position } = yield* present("the second event", second)
    const register = (name: string, from?: "start" | "end" | { readonly position: number }) =>
      Effect.map(core.registerReader(store, name, { from }), (checkpoint) => Number(checkpoint.position))
    yield* equal("by default", yield* register("a"), 0)
    yield* equal("at the start", yield* register("b", "start"), 0)
    const end = yield* store.head
    yield* equal("at the end", yield* register("c", "end"), end)
    yield* equal("at a position", yield* register("d", { position }), position)
    yield* equal("once more", yield* register("d", "start"), position)
    const beyond = core.registerReader(store, "e", { from: { position: (yield* store.head) + 100 } })
    yield* failing("beyond the head", beyond, "Invalid", "from.position")
    yield* equal("a reader that was refused", yield* core.readCheckpoint(store, "e"), Option.none())
  }),

  law("a checkpoint moves forwards only", [], function*(store, { core }) {
    const positions = (yield* fill(store, "s", count(3))).map(({ position }) => position)
    const [first = 0, , third = 0] = positions
    const registered = yield* core.registerReader(store, "reader")
    const moved = yield* core.moveCheckpoint(store, registered, third)
    yield* holds(!("_tag" in moved), "the first to move was fenced")
    if ("_tag" in moved) return
    yield* failing("going back", core.moveCheckpoint(store, moved, first), "Invalid", "position")
    const found = yield* present("checkpoint", Option.getOrUndefined(yield* core.readCheckpoint(store, "reader")))
    yield* equal<unknown>("checkpoint", [found.position, found.revision], [third, moved.revision])
    yield* core.resetReader(store, "reader", { position: first })
    const reset = Option.map(yield* core.readCheckpoint(store, "reader"), ({ position }) => Number(position))
    yield* equal("checkpoint after a reset", reset, Option.some(first))
  }),

  law("of several who hold one checkpoint the first to move it fences the others", [], function*(store, { core }) {
    const [first, second] = yield* fill(store, "s", count(2))
    const held = yield* core.registerReader(store, "reader")
    const [one, two] = [first?.position ?? 0, second?.position ?? 0]
    const tries = yield* Effect.forEach([one, two, two], (position) => core.moveCheckpoint(store, held, position), {
      concurrency: "unbounded"
    })
    yield* equal("who was fenced", tries.map((each) => "_tag" in each), [false, true, true])
    const [winner] = tries
    if (winner === undefined || "_tag" in winner) return
    const again = yield* core.moveCheckpoint(store, winner, two)
    yield* equal("the one who wasn't", "_tag" in again ? again._tag : Number(again.position), two)
  }),

  law("readers come forward each by itself", [], function*(store, { core }) {
    const told = yield* fill(store, "s", count(3))
    for (const name of ["a", "b", "c"]) yield* core.registerReader(store, name)
    for (const [n, name] of ["b", "c"].entries()) {
      const { position } = yield* present("event", told[n])
      const found = yield* present("checkpoint", Option.getOrUndefined(yield* core.readCheckpoint(store, name)))
      yield* core.moveCheckpoint(store, found, position)
    }
    const positions = yield* Effect.forEach(["a", "b", "c"], (name) => core.readCheckpoint(store, name))
    yield* equal<unknown>("positions", positions.map(Option.map(({ position }) => Number(position))), [
      Option.some(0),
      Option.some(told[0]?.position ?? -1),
      Option.some(told[1]?.position ?? -1)
    ])
  }),

  law("a checkpoint and what it belongs to move in one commit, or neither", ["atomic"], function*(store, { core }) {
    const [first] = yield* fill(store, "s", count(2))
    const position = first?.position ?? 0
    const kv = store.kv("n")
    const held = yield* core.registerReader(store, "reader")
    const move = (value: number) => store.commit([core.checkpointOp(store, held, position), kv.ops.put("sum", value)])
    yield* done(move(1))
    yield* lost(move(2))
    yield* equal("what belongs to it", yield* kv.get("sum"), Option.some(1))
    const found = yield* present("checkpoint", Option.getOrUndefined(yield* core.readCheckpoint(store, "reader")))
    yield* equal("checkpoint", Number(found.position), position)
    const ahead = store.commit([
      core.checkpointOp(store, found, yield* store.head),
      kv.ops.put("k", 1, { expected: 9 })
    ])
    yield* lost(ahead)
    const still = Option.map(yield* core.readCheckpoint(store, "reader"), ({ revision }) => revision)
    yield* equal("checkpoint after a conflict", still, Option.some(found.revision))
  }),

  law("readers are listed by name, with how far each is behind", ["scan", "readAll"], function*(store, { core }) {
    const [, second] = yield* fill(store, "s", count(5))
    const { position } = yield* present("event", second)
    yield* core.registerReader(store, "b", { from: { position }, prefix: "s", types: ["T"] })
    yield* core.registerReader(store, "a")
    yield* core.registerReader(store, "c", { from: "end" })
    const head = yield* store.head
    const readers = yield* core.listReaders(store)
    yield* equal("names", readers.map(({ name }) => name), ["a", "b", "c"])
    const [a, b, c] = readers
    yield* equal("lags", [a?.lag, b?.lag, c?.lag], [head, head - position, 0])
    // What comes then is another's, or no event at all.
    yield* fill(store, "t", count(3))
    yield* core.registerReader(store, "of u", { prefix: "u" })
    yield* core.registerReader(store, "of U", { types: ["U"] })
    yield* store.kv("n").put("k", 1)
    const lags = (yield* core.listReaders(store)).map(({ lag, name }) => [name, lag === 0])
    yield* equal("who has read all of its events", lags, [
      ["a", false],
      ["b", false],
      ["c", false],
      ["of U", true],
      ["of u", true]
    ])
    yield* equal<unknown>("filters", [a?.prefix, b?.prefix, a?.types, b?.types], ["", "s", undefined, ["T"]])
    yield* equal("position", Number(b?.position), position)
  }),

  law(
    "the slowest reader of a stream is the one of those that read it who has come least far",
    ["scan", "delete"],
    function*(
      store,
      { core }
    ) {
      const told = yield* fill(store, "a/1", count(4))
      const positions = told.map((each) => Number(each.position))
      const [first = 0, second = 0, third = 0] = positions
      yield* equal("without readers", yield* core.slowestReader(store, "a/1"), undefined)
      yield* core.registerReader(store, "all", { from: { position: third } })
      yield* core.registerReader(store, "a", { from: { position: second }, prefix: "a/" })
      yield* core.registerReader(store, "b", { from: { position: first }, prefix: "b/" })
      const slowest = (stream: string) => Effect.map(core.slowestReader(store, stream), Number)
      yield* equal("of a/1", yield* slowest("a/1"), second)
      yield* equal("of b/1", yield* slowest("b/1"), first)
      yield* equal("of c", yield* slowest("c"), third)
      yield* core.removeReader(store, "a")
      yield* equal("of a/1 when its reader is gone", yield* slowest("a/1"), third)
    }
  )
]
