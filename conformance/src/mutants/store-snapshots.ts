/** Mutants of snapshots and compaction: they change the answer, misread, keep too much, or take what's still needed. */
import type { Catalogue, Projection } from "@persist/core"
import { Corrupt, Seq, SnapshotPolicy } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { type Core, core } from "../core.ts"
import { coreMutant } from "../store-mutant.ts"

// Snapshots that are kept and looked for under another projection.
const as = (otherwise: <S, C extends Catalogue>(projection: Projection<S, C>) => Projection<S, C>): Partial<Core> => ({
  load: (store, projection, options) => core.load(store, otherwise(projection), options),
  saveSnapshot: (store, projection, options) => core.saveSnapshot(store, otherwise(projection), options)
})

/** Broken in snapshots. */
export const storeSnapshots = [
  coreMutant("looks for none", "loads without a snapshot where there is one", {
    load: (store, projection, { snapshots: _snapshots, ...options }) =>
      Effect.map(core.project(store, projection, options), (found) => ({ ...found, from: undefined }))
  }, [
    "a state loaded from a snapshot and the tail is the replay's, wherever it was saved",
    "a state of several streams loaded from a snapshot is the replay's",
    "a snapshot of another version of a projection is passed over",
    "a snapshot of another state schema is passed over, and not misread",
    "a snapshot that was spoilt is passed over with a warning",
    "a state is saved when its policy says so, and not more of them than it keeps",
    "without its snapshots a projection answers the same",
    "a state as of a moment is never begun with a snapshot from after it",
    "a state that can't be kept is loaded all the same, and a save of it is refused",
    "a compacted stream's projection answers as before, and the stream numbers on",
    "compaction leaves every registered reader of the stream what it has yet to read",
    "a slower projection that is registered still equals its replay after another's compaction",
    "a projection without a snapshot is refused after a compaction, and not answered from the rest",
    "a state of several streams is not answered over what a compaction took since its snapshot",
    "compaction keeps as many of the last events as it is told to",
    "nothing is ever truncated unless a policy says how many events to keep",
    "a decider goes on from a snapshot of its state, and saves one when that is due",
    "every option of a replay and of a load makes a difference",
    "every option of keeping and deleting snapshots makes a difference"
  ]),

  coreMutant("no tail", "gives the state of the snapshot for that of the log", {
    load: (store, projection, options) =>
      Effect.flatMap(
        core.load(store, projection, options),
        (found) =>
          found.from === undefined || options.asOf !== undefined || found.replayed === 0
            ? Effect.succeed(found)
            : Effect.map(
              core.load(store, projection, { ...options, asOf: { position: found.from.position } }),
              ({ state }) => ({ ...found, state })
            )
      )
  }, [
    "a state loaded from a snapshot and the tail is the replay's, wherever it was saved",
    "a state of several streams loaded from a snapshot is the replay's",
    "a compacted stream's projection answers as before, and the stream numbers on",
    "a slower projection that is registered still equals its replay after another's compaction",
    "a state of several streams is not answered over what a compaction took since its snapshot",
    "a decider goes on from a snapshot of its state, and saves one when that is due",
    "every option of keeping and deleting snapshots makes a difference"
  ]),

  coreMutant(
    "any version of a state",
    "takes the snapshot of another version for its own",
    as((p) => ({ ...p, version: 1 })),
    [
      "a snapshot of another version of a projection is passed over",
      "without its snapshots a projection answers the same",
      "a slower projection that is registered still equals its replay after another's compaction",
      "a projection without a snapshot is refused after a compaction, and not answered from the rest"
    ]
  ),

  coreMutant(
    "any form of a state",
    "takes the snapshot of another state schema for its own",
    as((p) => ({ ...p, state: { ...p.state, fingerprint: "any" } })),
    [
      "a snapshot of another state schema is passed over, and not misread",
      "a compacted stream's projection answers as before, and the stream numbers on",
      "compaction leaves every registered reader of the stream what it has yet to read",
      "a slower projection that is registered still equals its replay after another's compaction",
      "a projection without a snapshot is refused after a compaction, and not answered from the rest",
      "a state of several streams is not answered over what a compaction took since its snapshot",
      "compaction keeps as many of the last events as it is told to",
      "a decider goes on from a snapshot of its state, and saves one when that is due",
      "every option of a compaction makes a difference"
    ]
  ),

  coreMutant("takes fright", "fails where there is something to warn of", {
    load: (store, projection, options) =>
      Effect.suspend(() => {
        let warnings = 0
        const logger = Logger.make(() => warnings++)
        return Effect.flatMap(
          Effect.provide(core.load(store, projection, options), Logger.layer([logger])),
          (found) =>
            warnings === 0
              ? Effect.succeed(found)
              : Effect.fail(new Corrupt({ where: "snapshot", reason: "it can't be read", remedy: "delete it" }))
        )
      })
  }, [
    "a snapshot that was spoilt is passed over with a warning",
    "a snapshot that is ahead of the log, or of another one, is passed over",
    "a state that can't be kept is loaded all the same, and a save of it is refused"
  ]),

  coreMutant("saves no state", "saves no snapshot when one is due", {
    load: (store, projection, options) => core.load(store, projection, { ...options, snapshots: SnapshotPolicy.never })
  }, [
    "a state is saved when its policy says so, and not more of them than it keeps",
    "a state that can't be kept is loaded all the same, and a save of it is refused",
    "nothing is ever truncated unless a policy says how many events to keep",
    "every option of a replay and of a load makes a difference",
    "every option of keeping and deleting snapshots makes a difference"
  ]),

  coreMutant("keeps them all", "removes no snapshot for being one too many", {
    load: (store, projection, options) =>
      core.load(store, projection, {
        ...options,
        snapshots: { ...(options.snapshots ?? SnapshotPolicy.every(1000)), keep: 99 }
      })
  }, [
    "a state is saved when its policy says so, and not more of them than it keeps",
    "every option of keeping and deleting snapshots makes a difference"
  ]),

  coreMutant("deletes them all", "deletes every snapshot where some were named", {
    deleteSnapshots: (store, options) => core.deleteSnapshots(store, { force: options?.force })
  }, [
    "without its snapshots a projection answers the same",
    "every option of keeping and deleting snapshots makes a difference"
  ]),

  coreMutant("the state now", "gives the state now where it was asked as of a moment", {
    load: (store, projection, { asOf: _asOf, ...options }) => core.load(store, projection, options)
  }, [
    "a state as of a moment is never begun with a snapshot from after it",
    "a projection without a snapshot is refused after a compaction, and not answered from the rest"
  ]),

  coreMutant("keeps what can't be kept", "tells that it has saved a state that it can't save", {
    saveSnapshot: (store, projection, options) =>
      Effect.catchTag(
        core.saveSnapshot(store, projection, options),
        "Invalid",
        (error) => error.field.includes("state") ? Effect.undefined : Effect.fail(error)
      )
  }, [
    "a state that can't be kept is loaded all the same, and a save of it is refused"
  ])
]

/** Broken in compaction. */
export const storeCompaction = [
  coreMutant("burns its boats", "deletes the snapshot that stands in for what it removed", {
    compact: (store, options) =>
      Effect.tap(
        core.compact(store, options),
        ({ snapshot }) => snapshot === undefined ? Effect.void : core.deleteSnapshots(store, { force: true })
      )
  }, [
    "a compacted stream's projection answers as before, and the stream numbers on",
    "compaction leaves every registered reader of the stream what it has yet to read",
    "a slower projection that is registered still equals its replay after another's compaction",
    "a projection without a snapshot is refused after a compaction, and not answered from the rest",
    "a state of several streams is not answered over what a compaction took since its snapshot",
    "compaction keeps as many of the last events as it is told to",
    "every option of a compaction makes a difference"
  ]),

  coreMutant("waits for nobody", "removes what a reader has yet to read", {
    compact: (store, options) =>
      Effect.gen(function*() {
        const found = yield* core.compact(store, options)
        if (found.boundedBy._tag !== "Reader" || options.dryRun === true) return found
        const { projection, stream } = options
        const snapshot = yield* core.saveSnapshot(store, projection, { stream })
        const first = Seq(snapshot?.seq ?? 1)
        yield* store.log().truncate(stream, first)
        return { ...found, removed: first - found.first + found.removed, first, snapshot }
      })
  }, [
    "compaction leaves every registered reader of the stream what it has yet to read",
    "a subscription that lags behind a compaction handles every event once",
    "a slower projection that is registered still equals its replay after another's compaction"
  ]),

  coreMutant("registers late", "registers a projection for what comes from now on only", {
    registerProjection: (store, projection, scope) =>
      Effect.flatMap(core.registerProjection(store, projection, scope), (checkpoint) =>
        Effect.andThen(
          core.moveCheckpoint(store, checkpoint, Number.MAX_SAFE_INTEGER).pipe(Effect.ignore),
          Effect.flatMap(store.head, (head) =>
            Effect.map(core.moveCheckpoint(store, checkpoint, head), (moved) =>
              "_tag" in moved ? checkpoint : moved))
        ))
  }, [
    "a slower projection that is registered still equals its replay after another's compaction"
  ]),

  coreMutant("tries it out", "compacts where it should only tell", {
    compact: (store, options) => core.compact(store, { ...options, dryRun: false })
  }, [
    "compaction as a trial only tells what it would do",
    "every option of a compaction makes a difference"
  ]),

  coreMutant("keeps one", "keeps one event, however many it was told to", {
    compact: (store, options) => core.compact(store, { ...options, keepEvents: 1 })
  }, [
    "compaction keeps as many of the last events as it is told to",
    "a projection's or decision's options that are wrong are refused by their name",
    "every option of a compaction makes a difference"
  ]),

  coreMutant("cuts unasked", "truncates a stream whenever it saves a snapshot of it", {
    load: (store, projection, options) =>
      core.load(store, projection, {
        ...options,
        snapshots: cutting(options.snapshots ?? SnapshotPolicy.every(1000))
      })
  }, [
    "a state is saved when its policy says so, and not more of them than it keeps",
    "nothing is ever truncated unless a policy says how many events to keep",
    "every option of keeping and deleting snapshots makes a difference"
  ]),

  coreMutant("takes any way to compact", "leaves out what it doesn't know of the options of a compaction", {
    compact: (store, { dryRun, keep, keepEvents, projection, stream }) =>
      core.compact(store, { dryRun, keep, keepEvents, projection, stream })
  }, [
    "a projection's or decision's options that are wrong are refused by their name"
  ])
]

const cutting = ({ due, keep, keepEvents }: SnapshotPolicy): SnapshotPolicy => ({
  due,
  keep,
  keepEvents: keepEvents ?? 1
})
