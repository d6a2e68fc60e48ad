/** Folding a projection over the store's log: one stream, several or all of them, now or as of a moment in the past. */
import * as Effect from "effect/Effect"
import type { Catalogue } from "./catalogue.ts"
import { Invalid, type StoreError } from "./error.ts"
import { quoted } from "./path.ts"
import type { Projection } from "./projection.ts"
import { replayPrefix } from "./replay-prefix.ts"
import { replayStreams } from "./replay-streams.ts"
import { type Astray, beginReplay, type Hole, type Replay, type Trouble } from "./replay.ts"
import { type Plan, planOf, type ReplayOptions, type Scope, type Selection } from "./scope.ts"
import type { Position, Seq } from "./sequence.ts"
import { onlyStream } from "./snapshot.ts"
import type { StoreShape } from "./store.ts"

/** A state, what is in it, and what it took. */
export interface Projected<S> {
  readonly state: S
  /** The last seq of the stream that was looked at, 0 for none; `undefined` where several streams were asked for. */
  readonly seq: Seq | undefined
  /** Everything of the scope at or below it is in the state, or left out as later than the time that was asked for. */
  readonly position: Position
  /** Events read from the log for it. */
  readonly replayed: number
}

/**
 * Folds a projection over a scope by reading all of its events, in the order in which they happened; snapshots are
 * neither used nor saved (`load` does both, with the same answer). As of a position it waits, as `atLeast` does, for a
 * store that hasn't come as far. Fails with `Invalid` for bad options, a seq the stream hasn't come to, a step that
 * throws, and truncated events unless `allowTruncated`; with `Corrupt` for events that can't be read; otherwise as
 * every read.
 */
export const project = <S, C extends Catalogue>(
  store: StoreShape,
  projection: Projection<S, C>,
  options: Scope & ReplayOptions
): Effect.Effect<Projected<S>, StoreError> =>
  Effect.gen(function*() {
    const plan = yield* Effect.fromResult(planOf(store.engine, options))
    const replay = yield* Effect.fromResult(beginReplay(projection, undefined))
    const trouble = yield* run(store, replay, plan)
    if (trouble !== undefined) return yield* refuse(projection, trouble)
    return projectedOf(replay, plan.selection)
  })

/** What a replay that has come to its end gives. */
export const projectedOf = <S, C extends Catalogue>(
  replay: Replay<S, C>,
  selection: Selection
): Projected<S> => {
  const { position, replayed, state } = replay
  const stream = onlyStream(selection)
  return { state, seq: stream === undefined ? undefined : replay.seq(stream), position, replayed }
}

/**
 * Folds what a plan asks for onto a replay, which may have begun with a saved state, or have been run before. Answers
 * what stopped it for other reasons than the store's: nobody may go on with it then.
 */
export const run = <S, C extends Catalogue>(
  { engine }: StoreShape,
  replay: Replay<S, C>,
  plan: Plan
): Effect.Effect<Hole | Astray | undefined, StoreError> => {
  const running: Effect.Effect<void, Trouble> = plan.selection._tag === "Streams"
    ? replayStreams(engine, replay, plan, plan.selection.streams)
    : replayPrefix(engine, replay, plan, plan.selection.prefix)
  return Effect.matchEffect(running, {
    onSuccess: () => Effect.undefined,
    onFailure: (trouble): Effect.Effect<Hole | Astray, StoreError> =>
      trouble._tag === "Hole" || trouble._tag === "Astray" ? Effect.succeed(trouble) : Effect.fail(trouble)
  })
}

/** The refusal to fold what is left of a history as if it were all of it. */
export const refuse = (
  { name, version }: { readonly name: string; readonly version: number },
  { reason }: Hole | Astray
): Effect.Effect<never, Invalid> =>
  Effect.fail(
    new Invalid({
      field: `projection ${quoted(name)}`,
      reason: `${reason}, and no snapshot of its version ${version} stands in`,
      remedy:
        "load it in the version and with the state schema it has a snapshot of, or pass allowTruncated to fold the rest"
    })
  )
