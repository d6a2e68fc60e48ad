/** Laws of snapshots: they change how long an answer takes, never the answer. */
import type { BackendShape, Payload, StoreShape } from "@persist/core"
import { fold, Position, Projection, Seq, snapshotNamespace, SnapshotPolicy } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { equal, every, holds, present } from "../assertion.ts"
import { commitOne, put } from "../given.ts"
import { book, booked, doubled, history, Ledger } from "../ledger.ts"
import { count, failing, fill } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store snapshots")

const stream = "a"
const never = { stream, snapshots: SnapshotPolicy.never } as const

// Notes the warnings of an effect instead of printing them.
const warned = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const warnings: Array<string> = []
  const logger = Logger.make(({ message }) => warnings.push(String(message)))
  const answer = yield* Effect.provide(effect, Logger.layer([logger]))
  return [answer, warnings] as const
})

const snapshotsOf = (backend: BackendShape) =>
  backend.scan({ namespace: snapshotNamespace, gte: undefined, lt: undefined, limit: 100, reverse: false })

// Writes over a snapshot what nobody would have saved there.
const spoil = Effect.fnUntraced(function*(backend: BackendShape, change: (value: Payload) => string) {
  for (const { key, value } of yield* snapshotsOf(backend)) {
    yield* commitOne(backend, { write: [put(key, change(value), { namespace: snapshotNamespace })] })
  }
})

const foldOf = (store: StoreShape) => Effect.map(booked(store, stream), (events) => fold(history, events).seen)

// A sum in whatever form.
const sumAs = <A>(
  state: Schema.ConstraintCodec<A, unknown, never, never>,
  seed: A,
  add: (sum: A, n: number) => A
) =>
  Projection.make({
    name: "sum",
    version: 1,
    events: Ledger,
    seed: () => seed,
    step: (sum: A, { data }) => add(sum, data),
    state
  })

/** Laws of snapshots. */
export const storeSnapshots = [
  law("a state loaded from a snapshot and the tail is the replay's, wherever it was saved", ["scan"], function*(
    _store,
    { core, elsewhere }
  ) {
    for (const split of count(6)) {
      const store = yield* core.makeStore(yield* elsewhere)
      yield* book(store, [stream], split)
      yield* core.saveSnapshot(store, history, { stream })
      yield* book(store, [stream], 6 - split)
      const loaded = yield* core.load(store, history, never)
      const projected = yield* core.project(store, history, { stream })
      yield* equal(`split at ${split}`, loaded.state.seen, projected.state.seen)
      yield* equal("a map in the state", loaded.state.sums.get(stream), projected.state.sums.get(stream))
      yield* equal("where it is", [loaded.seq, loaded.position], [projected.seq, projected.position])
      yield* equal("events that were read for it", [loaded.replayed, projected.replayed], [6 - split, 6])
      yield* equal("the snapshot it began with", Number(loaded.from?.seq), split)
    }
  }),

  law("a state of several streams loaded from a snapshot is the replay's", ["scan", "readAll", "changed"], function*(
    store,
    { core }
  ) {
    const scopes = [{ all: true }, { prefix: "a" }, { streams: ["c", "a", "b"] }] as const
    yield* book(store, ["a", "b", "c"], 7)
    for (const scope of scopes) yield* core.saveSnapshot(store, history, scope)
    yield* book(store, ["c", "a", "d"], 5)
    for (const scope of scopes) {
      const loaded = yield* core.load(store, history, { ...scope, snapshots: SnapshotPolicy.never })
      const projected = yield* core.project(store, history, scope)
      yield* equal(JSON.stringify(scope), loaded.state.seen, projected.state.seen)
      yield* holds(loaded.replayed < projected.replayed, `${loaded.replayed} of ${projected.replayed} events were read`)
    }
  }),

  law("a snapshot of another version of a projection is passed over", ["scan"], function*(store, { core }) {
    yield* book(store, [stream], 4)
    yield* core.saveSnapshot(store, history, { stream })
    const events = yield* booked(store, stream)
    const newer = yield* core.load(store, doubled, never)
    yield* equal("the newer version", newer.state.seen, fold(doubled, events).seen)
    yield* equal("events that were read for it", newer.replayed, 4)
    yield* core.saveSnapshot(store, doubled, { stream })
    const older = yield* core.load(store, history, never)
    yield* equal("the older version", older.state.seen, fold(history, events).seen)
    yield* equal("events that were read for that", older.replayed, 0)
  }),

  law("a snapshot of another state schema is passed over, and not misread", ["scan"], function*(store, { core }) {
    const cents = sumAs(Schema.Finite, 0, (sum, n) => sum + n)
    // Both are stored as one number; only the schema tells them apart.
    const since = sumAs(Schema.DateFromMillis, new Date(0), (sum, n) => new Date(sum.getTime() + n))
    yield* book(store, [stream], 4)
    yield* core.saveSnapshot(store, cents, { stream })
    const other = yield* core.load(store, since, never)
    yield* equal("the other form", [other.state instanceof Date, other.replayed], [true, 4])
    yield* equal("the same form", (yield* core.load(store, cents, never)).replayed, 0)
  }),

  law("a snapshot that was spoilt is passed over with a warning", ["scan"], function*(store, { backend, core }) {
    yield* book(store, [stream], 4)
    const spoilt: ReadonlyArray<(value: Payload) => string> = [
      () => "{}",
      () => `"no snapshot"`,
      (value) => String(value).replace("In 1", "In 7"),
      (value) => String(value).replace(`"position":`, `"position":1`)
    ]
    for (const change of spoilt) {
      yield* warned(core.saveSnapshot(store, history, { stream }))
      yield* spoil(backend, change)
      const [loaded, warnings] = yield* warned(core.load(store, history, never))
      yield* equal("the state", loaded.state.seen, yield* foldOf(store))
      yield* equal("events that were read", loaded.replayed, 4)
      yield* holds(warnings.length > 0, "nobody was warned")
    }
    yield* warned(core.saveSnapshot(store, history, { stream }))
    yield* equal("events that are read with a good one", (yield* core.load(store, history, never)).replayed, 0)
  }),

  law("a snapshot that is ahead of the log, or of another one, is passed over", ["scan"], function*(
    store,
    { backend, core, elsewhere }
  ) {
    yield* book(store, [stream], 5)
    yield* core.saveSnapshot(store, history, { stream })
    const [saved] = yield* snapshotsOf(backend)
    const { key, value } = yield* present("the snapshot", saved)
    const shorter = (restored: StoreShape) => book(restored, [stream], 3)
    const different = (restored: StoreShape) => book(restored, ["b", stream], 14)
    for (const restore of [shorter, different]) {
      const other = yield* elsewhere
      const restored = yield* core.makeStore(other)
      yield* restore(restored)
      yield* commitOne(other, { write: [put(key, value, { namespace: snapshotNamespace })] })
      const [loaded] = yield* warned(core.load(restored, history, never))
      yield* equal("the state", loaded.state.seen, yield* foldOf(restored))
      yield* equal("the snapshot it began with", loaded.from, undefined)
    }
  }),

  law(
    "a state is saved when its policy says so, and not more of them than it keeps",
    ["scan", "delete", "atomic"],
    function*(
      store,
      { core }
    ) {
      const saved = Effect.map(
        Stream.runCollect(core.listSnapshots(store, { projection: "history" })),
        (infos) => infos.map(({ seq }) => Number(seq))
      )
      const load = (snapshots: SnapshotPolicy) => core.load(store, history, { stream, snapshots })
      yield* book(store, [stream], 5)
      yield* load(SnapshotPolicy.never)
      yield* load(SnapshotPolicy.every(6))
      yield* equal("before it is due", yield* saved, [])
      yield* load(SnapshotPolicy.every(5))
      yield* equal("when it is due", yield* saved, [5])
      for (const _ of count(3)) {
        yield* book(store, [stream], 2)
        yield* load(SnapshotPolicy.byCost({ size: 2, keep: 3 }))
      }
      yield* equal("three of them", yield* saved, [7, 9, 11])
      yield* book(store, [stream], 2)
      yield* load(SnapshotPolicy.every(1, { keep: 1 }))
      yield* equal("one of them", yield* saved, [13])
      yield* equal("the state", (yield* load(SnapshotPolicy.never)).state.seen, yield* foldOf(store))
    }
  ),

  law("without its snapshots a projection answers the same", ["scan", "delete"], function*(store, { core }) {
    yield* book(store, [stream, "b"], 9)
    for (const scope of [{ stream }, { stream: "b" }] as const) yield* core.saveSnapshot(store, history, scope)
    yield* core.saveSnapshot(store, doubled, { stream })
    const before = yield* core.load(store, history, never)
    yield* equal("deleted", (yield* core.deleteSnapshots(store, { projection: "history", version: 1 })).deleted, 2)
    const after = yield* core.load(store, history, never)
    yield* equal("state", after.state.seen, before.state.seen)
    yield* holds(after.replayed > before.replayed, "no event more was read without a snapshot")
    const left = yield* Stream.runCollect(core.listSnapshots(store))
    yield* equal("what is left", left.map(({ version }) => version), [2])
  }),

  law("a state as of a moment is never begun with a snapshot from after it", ["scan"], function*(store, { core }) {
    yield* book(store, [stream], 8)
    const events = yield* booked(store, stream)
    // One snapshot in the middle, as it was saved then, and one at the end.
    yield* core.saveSnapshot(store, history, { stream })
    yield* book(store, [stream], 4)
    yield* core.saveSnapshot(store, history, { stream })
    const all = yield* booked(store, stream)
    for (const [n, { at, position, seq }] of all.entries()) {
      const expected = fold(history, all.slice(0, n + 1)).seen
      const asOf = (moment: { seq: Seq } | { position: Position }) =>
        core.load(store, history, { ...never, asOf: moment })
      yield* equal(`as of seq ${seq}`, (yield* asOf({ seq })).state.seen, expected)
      yield* equal(`as of position ${position}`, (yield* asOf({ position })).state.seen, expected)
      const then = yield* core.load(store, history, { ...never, asOf: { at } })
      yield* equal(`as of time ${at}`, then.state.seen, fold(history, all.filter((event) => event.at <= at)).seen)
    }
    const late = yield* core.load(store, history, { ...never, asOf: { seq: Seq(10) } })
    yield* equal("events that were read for seq 10", late.replayed, 10 - events.length)
  }),

  law("a state that can't be kept is loaded all the same, and a save of it is refused", ["scan"], function*(
    store,
    { core }
  ) {
    yield* fill(store, stream, count(3))
    const loose = Projection.make({
      name: "loose",
      version: 1,
      seed: { at: new Date(0) },
      step: (_state, { data }) => ({ at: new Date(Number(data)) })
    })
    const [loaded, warnings] = yield* warned(
      core.load(store, loose, { stream, snapshots: SnapshotPolicy.every(1) })
    )
    yield* equal("state", loaded.state.at.getTime(), 3)
    yield* every("warnings", warnings, (warning) => warning.includes("snapshot"))
    yield* failing("saving it", core.saveSnapshot(store, loose, { stream }), "Invalid", "loose")
    yield* equal("snapshots", yield* Stream.runCollect(core.listSnapshots(store)), [])
  })
]
