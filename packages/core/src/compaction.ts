/** Compaction: a stream made shorter by a snapshot that stands in for its first events; off unless asked for. */
import * as Effect from "effect/Effect"
import type { Catalogue } from "./catalogue.ts"
import { type Checkpoint, readCheckpoint } from "./checkpoint.ts"
import { Invalid, type StoreError } from "./error.ts"
import * as Fault from "./fault.ts"
import { loadReplay } from "./load.ts"
import type { Projection } from "./projection.ts"
import { enrol } from "./reader.ts"
import { commonPrefix, planOf, type Scope, scopeKeys } from "./scope.ts"
import { type Compacted, shorten } from "./shorten.ts"
import { advance, readerName } from "./snapshot-store.ts"
import { keyPrefix } from "./snapshot.ts"
import type { StoreShape } from "./store.ts"

/** Which stream to compact, by whose snapshot, and how much stays. */
export interface CompactOptions<S, C extends Catalogue> {
  readonly projection: Projection<S, C>
  readonly stream: string
  /** How many snapshots are kept: 2 by default. */
  readonly keep?: number | undefined
  /** How many of the last events stay readable: 1 by default, by which the snapshot knows its history. */
  readonly keepEvents?: number | undefined
  /** Only tells what it would do. */
  readonly dryRun?: boolean | undefined
}

/**
 * Loads the projection's state of a stream, saves it as a snapshot, and removes the events it stands in for, all in one
 * commit; but never an event that a registered reader (a subscription, a read model, a projection registered with
 * `registerProjection`) has yet to read, nor one that a processor has parked. The projection answers as before; from
 * then on time travel to before the snapshot is refused, and so are replays by projections without a snapshot of their
 * own. Fails with `Invalid` for bad options, a state that can't be kept and a stream that was truncated before without
 * a snapshot, `Corrupt` where a reader belongs to another history, `Unsupported` where the backend can't truncate;
 * otherwise as every commit.
 */
export const compact = <S, C extends Catalogue>(
  store: StoreShape,
  options: CompactOptions<S, C>
): Effect.Effect<Compacted, StoreError> =>
  Effect.gen(function*() {
    const { dryRun = false, keep = 2, keepEvents = 1, projection, stream } = options
    const fault = Fault.optionsFault(options, ["projection", "stream", "keep", "keepEvents", "dryRun"]) ??
      Fault.counterFault("keep", keep, 1) ?? Fault.counterFault("keepEvents", keepEvents, 1) ??
      Fault.flagFault("dryRun", dryRun)
    if (fault !== undefined) return yield* Effect.fail(fault)
    const plan = yield* Effect.fromResult(planOf(store.engine, { stream }))
    const { replay } = yield* loadReplay(store, projection, plan)
    return yield* shorten(store, replay, { stream, keep, keepEvents, dryRun })
  })

/**
 * Registers a projection over a scope as a reader, so that compaction leaves it what it needs to be loaded: the events
 * after its newest snapshot, and all of them while it has none. Each snapshot saved moves it on; `removeReader` with
 * the name in the answer ends it. Fails as `load` does, so what can't be loaded any more can't be registered.
 */
export const registerProjection = <S, C extends Catalogue>(
  store: StoreShape,
  projection: Projection<S, C>,
  scope: Scope
): Effect.Effect<Checkpoint, StoreError> =>
  Effect.gen(function*() {
    const fault = Fault.optionsFault(scope, scopeKeys)
    if (fault !== undefined) return yield* Effect.fail(fault)
    const plan = yield* Effect.fromResult(planOf(store.engine, scope))
    const { selection } = plan
    const name = readerName(keyPrefix(store, projection, selection))
    const enrolled = yield* enrol(store, name, "start", { prefix: commonPrefix(selection), types: undefined })
    // Only now, so that nothing can be compacted away between seeing that it loads and being registered.
    const { from } = yield* loadReplay(store, projection, plan)
    if (from === undefined) return enrolled
    yield* advance(store, name, from.position)
    return yield* Effect.flatMap(readCheckpoint(store, name), (found) => Effect.fromOption(found, () => gone(name)))
  })

const gone = (name: string): Invalid =>
  new Invalid({
    field: "name",
    reason: `reader ${name} was removed while it was registered`,
    remedy: "register it again"
  })
