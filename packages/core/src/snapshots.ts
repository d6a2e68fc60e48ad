/** Snapshots as an operator meets them: saved on demand, listed, deleted. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { StoredEntry } from "./backend.ts"
import type { Catalogue } from "./catalogue.ts"
import { checkpointOf, checkpoints, storedCheckpoint } from "./checkpoint.ts"
import { truncatedStream } from "./compacted.ts"
import { unconditional } from "./engine.ts"
import { Invalid, type StoreError } from "./error.ts"
import * as Fault from "./fault.ts"
import { loadReplay } from "./load.ts"
import { prefixEnd, successor } from "./name.ts"
import { pages } from "./pages.ts"
import type { Projection } from "./projection.ts"
import { registrationOps } from "./registration.ts"
import { planOf, type Scope, scopeKeys, type Selection } from "./scope.ts"
import { origin, unbounded } from "./sequence.ts"
import { keepSnapshot, readerName, warn } from "./snapshot-store.ts"
import * as Snapshot from "./snapshot.ts"
import type { StoreShape } from "./store.ts"

/** What to save, and how many snapshots of it to keep: 2 by default. */
export type SaveOptions = Scope & { readonly keep?: number | undefined }

/**
 * Loads a projection over a scope and saves its state as a snapshot; `undefined` where there are no events yet. Fails
 * as `load` does, with `Invalid` where the state can't be kept as what it is (give the projection a state schema), and
 * as every commit.
 */
export const saveSnapshot = <S, C extends Catalogue>(
  store: StoreShape,
  projection: Projection<S, C>,
  options: SaveOptions
): Effect.Effect<Snapshot.SnapshotInfo | undefined, StoreError> =>
  Effect.gen(function*() {
    const { keep = 2, ...scope } = options
    const fault = Fault.optionsFault(options, [...scopeKeys, "keep"]) ?? Fault.counterFault("keep", keep, 1)
    if (fault !== undefined) return yield* Effect.fail(fault)
    const plan = yield* Effect.fromResult(planOf(store.engine, scope))
    const { replay } = yield* loadReplay(store, projection, plan)
    return yield* keepSnapshot(store, replay, plan.selection, keep)
  })

/** Which snapshots: those of a projection, of one of its versions, or all. */
export interface SnapshotFilter {
  readonly projection?: string | undefined
  /** Only together with `projection`. */
  readonly version?: number | undefined
}

const filterFault = (filter: SnapshotFilter, more: ReadonlyArray<string> = []): Fault.Fault | undefined =>
  Fault.optionsFault(filter, ["projection", "version", ...more]) ?? Fault.textFault("projection", filter.projection) ??
    (filter.version === undefined ? undefined : Fault.versionFault(filter.version)) ??
    (filter.version !== undefined && filter.projection === undefined ? versionOfNothing : undefined)

const versionOfNothing = new Invalid({
  field: "version",
  reason: "counts within one projection only",
  remedy: "name the projection, or leave it out"
})

/** Reads the entries of snapshots page by page, oldest first within each projection, version and scope. */
const readEntries = <A>(
  store: StoreShape,
  { projection, version }: SnapshotFilter,
  each: (entries: ReadonlyArray<StoredEntry>) => Effect.Effect<ReadonlyArray<A>>
): Stream.Stream<A, StoreError> => {
  const { backend, reading } = store.engine
  // Keys are JSON arrays that begin with the projection and its version.
  const prefix = projection === undefined
    ? "["
    : `${JSON.stringify(version === undefined ? [projection] : [projection, version]).slice(0, -1)},`
  return pages(unbounded, prefix, (gte, limit) => {
    const range = { namespace: Snapshot.snapshotNamespace, gte, lt: prefixEnd(prefix), limit, reverse: false }
    return Effect.map(reading(undefined, backend.scan(range)), (items) => {
      const last = items.at(-1)
      return { items, next: last === undefined || items.length < limit ? undefined : successor(last.key) }
    })
  }, each)
}

/** Lists snapshots, oldest first within each projection, version and scope; of one that can't be read it only warns. */
export const listSnapshots = (
  store: StoreShape,
  filter: SnapshotFilter = {}
): Stream.Stream<Snapshot.SnapshotInfo, StoreError> => {
  const fault = filterFault(filter)
  if (fault !== undefined) return Stream.fail(fault)
  return readEntries(
    store,
    filter,
    Effect.fnUntraced(function*(entries) {
      const infos: Array<Snapshot.SnapshotInfo> = []
      for (const entry of entries) {
        const snapshot = Snapshot.readSnapshot(store, entry)
        if (Result.isSuccess(snapshot)) infos.push(Snapshot.infoOf(entry, snapshot.success))
        else yield* warn("a snapshot can't be read", { reason: snapshot.failure })
      }
      return infos
    })
  )
}

/** Which snapshots to delete. */
export interface DeleteSnapshotsOptions extends SnapshotFilter {
  /** Deletes also those that stand in for truncated events: what only they know is then lost for good. */
  readonly force?: boolean | undefined
}

/** How many snapshots were deleted, and how many stayed because they stand in for truncated events. */
export interface SnapshotsDeleted {
  readonly deleted: number
  readonly kept: number
}

/**
 * Deletes snapshots: the next load takes longer and answers the same. Where streams were truncated the newest snapshot
 * of each projection, version and scope of them stays, unless `force`. Fails with `Invalid` for bad options, and as
 * every commit.
 */
export const deleteSnapshots = (
  store: StoreShape,
  options: DeleteSnapshotsOptions = {}
): Effect.Effect<SnapshotsDeleted, StoreError> =>
  Effect.gen(function*() {
    const fault = filterFault(options, ["force"]) ?? Fault.flagFault("force", options.force)
    if (fault !== undefined) return yield* Effect.fail(fault)
    const found = yield* Stream.runCollect(
      readEntries(store, options, (entries) => Effect.succeed(entries.map((entry) => keptAs(store, entry))))
    )
    const groups = Map.groupBy(found, ({ key }) => Snapshot.prefixOf(key))
    let kept = 0
    for (const [prefix, group] of groups) {
      const needed = options.force === true ? undefined : yield* neededOf(store, group)
      // Before the snapshots go, so that their reader never claims to have what it can't get back.
      if (needed === undefined) yield* startAgain(store, readerName(prefix))
      else kept++
      const keys = group.map(({ key }) => key).filter((key) => key !== needed)
      const most = store.about.limits.commitEvents
      for (let i = 0; i < keys.length; i += most) {
        yield* Snapshot.snapshots(store).deleteMany(keys.slice(i, i + most))
      }
    }
    return { deleted: found.length - kept, kept }
  })

/** A snapshot's key, and what it is of where it can be read. */
interface Kept {
  readonly key: string
  readonly selection: Selection | undefined
}

const keptAs = (store: StoreShape, entry: StoredEntry): Kept => {
  const snapshot = Snapshot.readSnapshot(store, entry)
  const selection = Result.isSuccess(snapshot) ? Snapshot.selectionIn(snapshot.success) : undefined
  return { key: entry.key, selection }
}

/** The key of the newest snapshot where events it stands in for are truncated. */
const neededOf = (store: StoreShape, group: ReadonlyArray<Kept>): Effect.Effect<string | undefined, StoreError> => {
  const newest = group.findLast(({ selection }) => selection !== undefined)
  return newest?.selection === undefined
    ? Effect.undefined
    : Effect.map(
      truncatedStream(store.engine, newest.selection),
      (truncated) => truncated === undefined ? undefined : newest.key
    )
}

const startAgain = (store: StoreShape, name: string): Effect.Effect<void, StoreError> =>
  Effect.flatMap(checkpoints(store).entry(name), (entry) => {
    if (Option.isNone(entry)) return Effect.void
    const checkpoint = checkpointOf(entry.value)
    const again = checkpoints(store).ops.put(name, storedCheckpoint(store.about, origin, checkpoint))
    return Effect.asVoid(unconditional(store.commit([again, ...registrationOps(store)])))
  })
