/** Laws of diffs: both states are those of replays, and the events between make one of the other. */
import { Catalogue, type DiffOptions, Projection, type Scope } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { equal, holds, present, show } from "../assertion.ts"
import { count, failing, fill } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store diffs")

const Counts = Catalogue.make({ Counted: Schema.Finite }, { unknown: "skip" })

// Changes its state in place.
const seen = Projection.make({
  name: "seen",
  version: 1,
  events: Counts,
  seed: (): { [stream: string]: Array<number> } => ({}),
  step: (state, { data, stream }) => {
    const list = state[stream] ??= []
    list.push(data)
    return state
  }
})

/** Laws of diffs. */
export const storeDiffs = [
  law("a diff has the states of both moments and the events between, through whatever snapshot", [
    "readAll",
    "streams",
    "scan"
  ], function*(store, { core }) {
    for (const n of count(12)) {
      // Some happened before those that stand before them.
      const event = { type: "Counted", data: n, at: n % 4 === 0 ? n - 3 : n }
      yield* store.log().append(n % 3 === 0 ? "b" : "a", event, { expected: "any" })
      if (n === 4 || n === 8) yield* core.saveSnapshot(store, seen, { all: true })
    }
    yield* fill(store, "a", ["nothing of its own"], "Other")
    const events = yield* Stream.runCollect(store.log(Counts).readAll())
    const places = events.map(({ position }) => position)
    const fifth = yield* present("the fifth event", places[4])
    const tenth = yield* present("the tenth event", places[9])
    const asked: ReadonlyArray<Scope & DiffOptions> = [
      { all: true, from: { position: fifth }, to: { position: tenth } },
      { all: true, from: { at: 5 }, to: { at: 10 } },
      { prefix: "a", from: { position: fifth } },
      { stream: "b", from: { seq: 1 }, to: { seq: 3 } },
      { streams: ["a", "b"], from: { at: 0 } }
    ]
    for (const one of asked) {
      const { from, to, ...scope } = one
      const found = yield* core.diff(store, seen, one)
      // What is left out of a scope is one of the four all the same.
      const replay = (asOf: DiffOptions["to"]) => core.project(store, seen, { ...scope as Scope, asOf })
      yield* equal(`${show(one)}: before`, found.before, (yield* replay(from)).state)
      yield* equal(`${show(one)}: after`, found.after, (yield* replay(to)).state)
      const [kind = "", least] = Object.entries(from)[0] ?? []
      const last: unknown = to === undefined ? Infinity : Object.values(to)[0]
      const between = events.filter((event) =>
        Object.keys(found.after).includes(event.stream) && Object(event)[kind] > Number(least) &&
        Object(event)[kind] <= Number(last)
      )
      yield* equal(`${show(one)}: the events`, found.events.map(({ data }) => data), between.map(({ data }) => data))
      yield* holds(between.length > 1 && found.count === between.length, `${show(one)}: it counts ${found.count}`)
    }
  }),

  law("a diff says what to change, and gives as many events as it is asked for", ["readAll"], function*(
    store,
    { core }
  ) {
    yield* fill(store, "a", [1, 2, 3], "Counted")
    yield* fill(store, "b", [4], "Counted")
    const found = yield* core.diff(store, seen, { all: true, from: { position: 0 }, events: 2 })
    yield* equal("from nothing", found.patch, [
      { op: "add", path: "/a", value: [1, 2, 3] },
      { op: "add", path: "/b", value: [4] }
    ])
    yield* equal("events", [found.events.map(({ data }) => data), found.count], [[1, 2], 4])
    const one = yield* core.diff(store, seen, { stream: "a", from: { seq: 2 } })
    yield* equal("of a stream", one.patch, [{ op: "add", path: "/a/2", value: 3 }])
    const none = yield* core.diff(store, seen, { stream: "a", from: { seq: 3 } })
    yield* equal("of nothing", [none.patch, none.count, none.before], [[], 0, none.after])
  }),

  law("a diff between moments that there is nothing between is refused", ["readAll"], function*(store, { core }) {
    yield* fill(store, "a", [1, 2, 3], "Counted")
    const asking = (options: Scope & DiffOptions) => Effect.asVoid(core.diff(store, seen, options))
    const all = { all: true } as const
    yield* failing("backwards", asking({ ...all, from: { position: 3 }, to: { position: 1 } }), "Invalid", "to")
    yield* failing("of two kinds", asking({ ...all, from: { position: 1 }, to: { at: 3 } }), "Invalid", "to")
    yield* failing("from what is to come", asking({ stream: "a", from: { seq: 4 } }), "Invalid", "from.seq")
    yield* failing("by seqs of several", asking({ ...all, from: { seq: 1 } }), "Invalid", "from.seq")
  })
]
