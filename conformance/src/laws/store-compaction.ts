/** Laws of compaction: a snapshot stands in for what is removed, and nobody loses what they have yet to read. */
import { anyEvents, fold, SnapshotPolicy, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { equal, holds, present } from "../assertion.ts"
import type { Core } from "../core.ts"
import { noting, runUntil } from "../handlers.ts"
import type { Need } from "../law.ts"
import { book, booked, doubled, history } from "../ledger.ts"
import { count, failing, fill } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store compaction")
const needs: ReadonlyArray<Need> = ["atomic", "truncate", "streams", "scan"]

const stream = "a"
const compaction = { projection: history, stream } as const
const never = { stream, snapshots: SnapshotPolicy.never } as const

const firstSeq = (store: StoreShape) => Effect.map(store.log().info(stream), (info) => Number(info?.first))

const stateOf = (core: Core, store: StoreShape) =>
  Effect.map(core.load(store, history, never), ({ state }) => state.seen)

/** Laws of compaction. */
export const storeCompaction = [
  law(
    "a compacted stream's projection answers as before, and the stream numbers on",
    needs,
    function*(store, { core }) {
      yield* book(store, [stream, "b"], 12)
      const events = yield* booked(store, stream)
      const { boundedBy, first, removed, snapshot } = yield* core.compact(store, compaction)
      yield* equal("what was removed", [removed, Number(first), boundedBy._tag], [5, 6, "Snapshot"])
      yield* equal("the snapshot that stands in for it", Number(snapshot?.seq), 6)
      yield* equal("the first that is left", yield* firstSeq(store), 6)
      yield* equal("state", yield* stateOf(core, store), fold(history, events).seen)
      yield* book(store, [stream], 2)
      const tail = (yield* booked(store, stream)).slice(1)
      yield* equal("seqs that came then", tail.map(({ seq }) => Number(seq)), [7, 8])
      yield* equal("state after them", yield* stateOf(core, store), fold(history, [...events, ...tail]).seen)
      yield* equal("the stream beside it", (yield* booked(store, "b")).length, 6)
    }
  ),

  law("compaction leaves every registered reader of the stream what it has yet to read", needs, function*(
    store,
    { core }
  ) {
    yield* book(store, [stream], 9)
    const events = yield* booked(store, stream)
    const positionAt = (seq: number) => events[seq - 1]?.position ?? 0
    yield* core.registerReader(store, "slow", { from: { position: positionAt(4) } })
    yield* core.registerReader(store, "fast", { from: { position: positionAt(8) }, prefix: stream })
    yield* core.registerReader(store, "elsewhere", { prefix: "b" })
    const bounded = yield* core.compact(store, compaction)
    // Compared with what it is, whatever its type says it may be.
    const expected = { _tag: "Reader", name: "slow", position: positionAt(4) } as never
    yield* equal("who bounds it", bounded.boundedBy, expected)
    const left = yield* booked(store, stream)
    yield* equal(
      "what the slow one has yet to read",
      left.filter(({ position }) => position > positionAt(4)),
      events.slice(4)
    )
    const slow = yield* present(
      "checkpoint",
      yield* Effect.map(core.readCheckpoint(store, "slow"), (found) => found._tag === "Some" ? found.value : undefined)
    )
    yield* core.moveCheckpoint(store, slow, positionAt(9))
    yield* core.compact(store, compaction)
    const rest = yield* booked(store, stream)
    yield* equal(
      "what the fast one has yet to read",
      rest.filter(({ position }) => position > positionAt(8)),
      events.slice(8)
    )
    yield* holds(rest.length < left.length, "nothing more was removed when the slow one had come on")
    yield* equal("state", yield* stateOf(core, store), fold(history, events).seen)
  }),

  law("a subscription that lags behind a compaction handles every event once", [...needs, "readAll"], function*(
    store,
    { core }
  ) {
    const handled = yield* noting()
    yield* fill(store, "marker", [0])
    yield* runUntil(core, store, handled, 1)
    yield* book(store, [stream], 8)
    yield* core.compact(store, compaction)
    yield* equal("the first that is left", yield* firstSeq(store), 1)
    yield* runUntil(core, store, handled, 9)
    yield* equal<unknown>("what was handled", handled.all, [0, ...count(8)])
    const { removed } = yield* core.compact(store, compaction)
    yield* holds(removed > 0, "nothing was removed when everybody had read it")
  }),

  law("a slower projection that is registered still equals its replay after another's compaction", needs, function*(
    store,
    { core }
  ) {
    yield* book(store, [stream], 6)
    const events = yield* booked(store, stream)
    yield* core.registerProjection(store, doubled, { stream })
    yield* core.compact(store, compaction)
    yield* equal("the slower one", (yield* core.load(store, doubled, never)).state.seen, fold(doubled, events).seen)
    yield* equal("the first that is left", yield* firstSeq(store), 1)
    // Once it has a snapshot of its own it needs no more than that.
    yield* core.saveSnapshot(store, doubled, { stream })
    const { removed } = yield* core.compact(store, compaction)
    yield* holds(removed > 0, "nothing was removed though both have snapshots")
    yield* book(store, [stream], 2)
    const tail = (yield* booked(store, stream)).filter(({ seq }) => seq > 6)
    const all = [...events, ...tail]
    yield* equal("the slower one then", (yield* core.load(store, doubled, never)).state.seen, fold(doubled, all).seen)
    yield* equal("the faster one then", yield* stateOf(core, store), fold(history, all).seen)
  }),

  law("a projection without a snapshot is refused after a compaction, and not answered from the rest", needs, function*(
    store,
    { core }
  ) {
    yield* book(store, [stream], 6)
    yield* core.compact(store, compaction)
    yield* failing("another version", core.load(store, doubled, never), "Invalid", "history")
    yield* failing("a replay", core.project(store, history, { stream }), "Invalid", "history")
    const past = core.load(store, history, { ...never, asOf: { seq: 3 } })
    yield* failing("a moment before the snapshot", past, "Invalid")
    yield* equal("the projection that has one", (yield* stateOf(core, store)).length, 6)
  }),

  law("a state of several streams is not answered over what a compaction took since its snapshot", [
    ...needs,
    "readAll",
    "changed"
  ], function*(store, { core }) {
    yield* book(store, [stream, "b"], 6)
    yield* core.saveSnapshot(store, history, { prefix: stream })
    yield* book(store, [stream, "b"], 6)
    // The first compaction is none of its business, the second took what its snapshot doesn't hold.
    yield* core.compact(store, { ...compaction, stream: "b" })
    const all = Effect.suspend(() => core.load(store, history, { prefix: stream, snapshots: SnapshotPolicy.never }))
    yield* equal("what another's compaction leaves", (yield* all).state.seen.length, 6)
    yield* core.compact(store, compaction)
    yield* failing("loading on", all, "Invalid", "history")
    yield* equal("the stream by itself", (yield* stateOf(core, store)).length, 6)
  }),

  law("compaction as a trial only tells what it would do", needs, function*(store, { core }) {
    yield* book(store, [stream], 6)
    const head = yield* store.head
    const told = yield* core.compact(store, { ...compaction, dryRun: true })
    yield* equal("what it would remove", [told.removed, Number(told.first), told.snapshot], [5, 6, undefined])
    yield* equal("head", yield* store.head, head)
    yield* equal("the first that is left", yield* firstSeq(store), 1)
    const done = yield* core.compact(store, compaction)
    yield* equal("what it removes", [done.removed, done.first], [told.removed, told.first])
  }),

  law("compaction keeps as many of the last events as it is told to", needs, function*(store, { core }) {
    yield* book(store, [stream], 10)
    const { boundedBy } = yield* core.compact(store, { ...compaction, keepEvents: 4 })
    yield* equal("what bounds it", boundedBy, { _tag: "Keep", events: 4 })
    yield* equal("seqs that are left", (yield* booked(store, stream)).map(({ seq }) => Number(seq)), [7, 8, 9, 10])
    yield* equal("number of events in the state", (yield* stateOf(core, store)).length, 10)
  }),

  law("nothing is ever truncated unless a policy says how many events to keep", needs, function*(store, { core }) {
    yield* book(store, [stream], 8)
    yield* core.load(store, history, { stream, snapshots: SnapshotPolicy.every(1) })
    yield* equal("the first that is left after a save", yield* firstSeq(store), 1)
    yield* book(store, [stream], 2)
    yield* core.load(store, history, { stream, snapshots: SnapshotPolicy.every(1, { keepEvents: 3 }) })
    yield* equal("the first that is left by that policy", yield* firstSeq(store), 8)
    yield* equal("number of events in the state", (yield* stateOf(core, store)).length, 10)
    yield* equal("events that are left", yield* Stream.runCount(store.log(anyEvents).read(stream)), 3)
  })
]
