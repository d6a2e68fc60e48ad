/** The state of a projection by the shortest way: the newest snapshot that holds, and the events after it. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Catalogue } from "./catalogue.ts"
import type { StoreError } from "./error.ts"
import { type Projected, projectedOf, refuse, run } from "./project.ts"
import type { Projection } from "./projection.ts"
import { beginReplay, type Hole, type Replay } from "./replay.ts"
import { type Plan, planOf, type ReplayOptions, type Scope, type Selection, uncut } from "./scope.ts"
import { shorten } from "./shorten.ts"
import { SnapshotPolicy } from "./snapshot-policy.ts"
import { type Candidate, keepSnapshot, newestSnapshot, warn } from "./snapshot-store.ts"
import { onlyStream, type SnapshotInfo } from "./snapshot.ts"
import type { StoreShape } from "./store.ts"

/** What to load, as of when, and when to save what was loaded. */
export interface LoadOptions extends ReplayOptions {
  /** When to save a snapshot; every 1,000 events by default. As of a past moment none is saved. */
  readonly snapshots?: SnapshotPolicy | undefined
}

/** A state, and how it was got. */
export interface Loaded<S> extends Projected<S> {
  /** The snapshot it began with; `undefined` where everything was replayed. */
  readonly from: SnapshotInfo | undefined
}

/** The policy where none is given. */
const usual = SnapshotPolicy.every(1000)

/**
 * Folds a projection over a scope as `project` does, beginning with the newest snapshot that holds; the answer is the
 * same. A snapshot of another version or state schema, of another history than the log's, or beyond its end is passed
 * over; one that can't be read as well, with a warning. Where the policy says so the state is saved afterwards; a save
 * that fails is a warning. Fails with `Invalid` for bad options, a step that throws, and where events are truncated
 * that no snapshot stands in for; otherwise as every read.
 */
export const load = <S, C extends Catalogue>(
  store: StoreShape,
  projection: Projection<S, C>,
  options: Scope & LoadOptions
): Effect.Effect<Loaded<S>, StoreError> =>
  Effect.gen(function*() {
    const plan = yield* Effect.fromResult(planOf(store.engine, options, ["snapshots"]))
    const found = yield* loadReplay(store, projection, plan)
    yield* saveWhenDue(store, found, plan, options.snapshots)
    return { ...projectedOf(found.replay, plan.selection), from: found.from }
  })

/** A replay that has come to its end. */
export interface Found<S, C extends Catalogue> {
  readonly replay: Replay<S, C>
  /** The snapshot it began with. */
  readonly from: SnapshotInfo | undefined
  /** What it took, in milliseconds. */
  readonly millis: number
}

/** Saves a replay's state if the policy finds it due; whatever goes wrong with that is a warning. */
export const saveWhenDue = <S, C extends Catalogue>(
  store: StoreShape,
  { millis, replay }: Found<S, C>,
  { cut, selection }: Plan,
  policy: SnapshotPolicy = usual
): Effect.Effect<void> => {
  const { holed, replayed, size } = replay
  // What went over a hole isn't the state of the whole history, and must not pass for it later.
  if (cut !== uncut || holed || !policy.due({ replayed, size, millis })) return Effect.void
  return Effect.catchCause(
    save(store, replay, selection, policy),
    (cause) =>
      warn("a snapshot could not be saved", { projection: replay.projection.name, reason: Cause.squash(cause) })
  )
}

const save = <S, C extends Catalogue>(
  store: StoreShape,
  replay: Replay<S, C>,
  selection: Selection,
  { keep, keepEvents }: SnapshotPolicy
): Effect.Effect<void, StoreError> => {
  const kept = Effect.asVoid(keepSnapshot(store, replay, selection, keep))
  const stream = onlyStream(selection)
  if (keepEvents === undefined || stream === undefined) return kept
  return Effect.flatMap(
    shorten(store, replay, { stream, keep, keepEvents, dryRun: false }),
    ({ snapshot }) => snapshot === undefined ? kept : Effect.void
  )
}

/**
 * Runs a replay from the newest snapshot that holds, or from the seed; the snapshot is one that `base` may begin with,
 * which asks for the same of an earlier moment.
 */
export const loadReplay = Effect.fnUntraced(function*<S, C extends Catalogue>(
  store: StoreShape,
  projection: Projection<S, C>,
  plan: Plan,
  base: Plan = plan
): Effect.fn.Return<Found<S, C>, StoreError> {
  const begun = yield* Clock.currentTimeMillis
  while (true) {
    const attempt = yield* tryLoad(store, projection, plan, base)
    if ("replay" in attempt) return { ...attempt, millis: (yield* Clock.currentTimeMillis) - begun }
    // Whoever compacts saves a snapshot first: where events went missing meanwhile, there is a newer one to begin with.
    const newest = yield* newestSnapshot(store, projection, base, undefined)
    if (newest?.info.key === attempt.newest) return yield* refuse(projection, attempt.hole)
  }
})

interface Missing {
  readonly hole: Hole
  /** The key of the newest snapshot there was. */
  readonly newest: string | undefined
}

const tryLoad = Effect.fnUntraced(function*<S, C extends Catalogue>(
  store: StoreShape,
  projection: Projection<S, C>,
  plan: Plan,
  base: Plan
): Effect.fn.Return<Omit<Found<S, C>, "millis"> | Missing, StoreError> {
  let candidate: Candidate<S> | undefined
  let newest: string | undefined
  while (true) {
    candidate = yield* newestSnapshot(store, projection, base, candidate?.info.key)
    newest ??= candidate?.info.key
    const replay = yield* Effect.fromResult(beginReplay(projection, candidate?.standpoint))
    const trouble = yield* run(store, replay, plan)
    if (trouble === undefined) return { replay, from: candidate?.info }
    if (trouble._tag === "Hole") return { hole: trouble, newest }
    yield* warn("a snapshot is of another history than the log's, and is passed over", {
      projection: projection.name,
      snapshot: candidate?.info.key,
      reason: trouble.reason
    })
  }
})
