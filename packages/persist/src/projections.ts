/** Projections, snapshots, compaction and deciders of a store, as Promises. */
import * as Core from "@persist/core"
import type {
  Catalogue,
  Checkpoint,
  Compacted,
  CompactOptions,
  Conflict,
  Decided,
  DecideOptions,
  Decider,
  DeleteSnapshotsOptions,
  Diff,
  DiffOptions,
  EventOf,
  Loaded,
  LoadOptions,
  OneStream,
  Projected,
  Projection,
  ReplayOptions,
  SaveOptions,
  Scope,
  Seq,
  SnapshotFilter,
  SnapshotInfo,
  SnapshotsDeleted,
  StoreShape
} from "@persist/core"
import { type Reading, reading } from "./reading.ts"
import { type Abortable, call, callPlain } from "./run.ts"

/** A projected state of one stream, whose last seq an append may expect. */
export type OfOneStream<P> = P & { readonly seq: Seq }

/** The verbs of a store that fold its log. */
export interface Projections {
  /**
   * Folds a projection over one stream, several or all of them, now or as of a moment, by reading all of its events.
   * Rejects with `Invalid` for bad options, a seq the stream hasn't come to, a step that throws, and truncated events
   * unless `allowTruncated`; with `Corrupt` for events that can't be read; otherwise as every read.
   */
  readonly project: {
    <S, C extends Catalogue>(
      projection: Projection<S, C>,
      options: OneStream & ReplayOptions & Abortable
    ): Promise<OfOneStream<Projected<S>>>
    <S, C extends Catalogue>(
      projection: Projection<S, C>,
      options: Scope & ReplayOptions & Abortable
    ): Promise<Projected<S>>
  }
  /**
   * Folds a projection as `project` does, beginning with the newest snapshot that holds: the answer is the same. Where
   * the policy says so the state is saved afterwards.
   */
  readonly load: {
    <S, C extends Catalogue>(
      projection: Projection<S, C>,
      options: OneStream & LoadOptions & Abortable
    ): Promise<OfOneStream<Loaded<S>>>
    <S, C extends Catalogue>(projection: Projection<S, C>, options: Scope & LoadOptions & Abortable): Promise<Loaded<S>>
  }
  /**
   * Tells two moments of a projection apart: the states as of `from` and `to` (now by default), a JSON Patch that makes
   * one of the other, and the events between. Begins with the newest snapshot that holds and isn't later than `from`.
   * Rejects as `project` does, and with `Invalid` for moments of different kinds or in the wrong order, and a state
   * without a JSON form.
   */
  readonly diff: <S, C extends Catalogue>(
    projection: Projection<S, C>,
    options: Scope & DiffOptions & Abortable
  ) => Promise<Diff<S, EventOf<C>>>
  /**
   * Carries out a command on a stream: loads its state, decides, and appends the events if the stream is still as it
   * was; where somebody was faster it decides anew, `retries` times at most (3), and the last conflict is then the
   * answer. With an `id` the command is carried out once. Rejects with the decider's own failures, untouched; with
   * `Invalid` for bad options and a decision that throws; otherwise as `load` and every append.
   */
  readonly decide: <S, C extends Catalogue, Command, E>(
    decider: Decider<S, C, Command, E>,
    stream: string,
    command: Command,
    options?: DecideOptions & Abortable
  ) => Promise<Decided | Conflict>
  /** Loads a projection and saves its state as a snapshot; `undefined` where there are no events yet. */
  readonly saveSnapshot: <S, C extends Catalogue>(
    projection: Projection<S, C>,
    options: SaveOptions & Abortable
  ) => Promise<SnapshotInfo | undefined>
  /** Lists snapshots, oldest first within each projection, version and scope. */
  readonly listSnapshots: (filter?: SnapshotFilter & Abortable) => Reading<SnapshotInfo>
  /** Deletes snapshots, but for those that stand in for truncated events, unless `force`. */
  readonly deleteSnapshots: (options?: DeleteSnapshotsOptions & Abortable) => Promise<SnapshotsDeleted>
  /**
   * Removes the first events of a stream that a snapshot stands in for, but never one that a registered reader has yet
   * to read. Rejects with `Unsupported` where the backend can't truncate; otherwise as `load` and every commit.
   */
  readonly compact: <S, C extends Catalogue>(options: CompactOptions<S, C> & Abortable) => Promise<Compacted>
  /** Registers a projection as a reader, so that compaction leaves it what it needs to be loaded. */
  readonly registerProjection: <S, C extends Catalogue>(
    projection: Projection<S, C>,
    scope: Scope,
    options?: Abortable
  ) => Promise<Checkpoint>
}

/** Makes the Promise interface of what folds a store's log. */
export const promiseProjections = (store: StoreShape): Projections => ({
  project: projecting(store) as Projections["project"], // of one stream it gives the seq
  load: loading(store) as Projections["load"], // of one stream it gives the seq
  diff: (projection, options) => call(options, (own) => Core.diff(store, projection, own)),
  decide: (decider, stream, command, options) =>
    call(options, (own) => Core.decide(store, decider, stream, command, own)),
  saveSnapshot: (projection, options) => call(options, (own) => Core.saveSnapshot(store, projection, own)),
  listSnapshots: (filter) => reading(filter, (own) => Core.listSnapshots(store, own)),
  deleteSnapshots: (options) => call(options, (own) => Core.deleteSnapshots(store, own)),
  compact: (options) => call(options, (own) => Core.compact(store, own)),
  registerProjection: (projection, scope, options) =>
    callPlain(options, () => Core.registerProjection(store, projection, scope))
})

const projecting =
  (store: StoreShape) =>
  <S, C extends Catalogue>(projection: Projection<S, C>, options: Scope & ReplayOptions & Abortable) =>
    call(options, (own) => Core.project(store, projection, own))

const loading =
  (store: StoreShape) =>
  <S, C extends Catalogue>(projection: Projection<S, C>, options: Scope & LoadOptions & Abortable) =>
    call(options, (own) => Core.load(store, projection, own))
