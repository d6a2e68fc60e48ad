/** How far a partition has come, and what came of its events: saved together, by whoever has the partition. */
import type { Checkpoint, Conflict, Fenced, Op, Position, StoreError, StoreShape } from "@persist/core"
import { parkedNamespace } from "@persist/core/awaited"
import { checkpointNamespace } from "@persist/core/checkpoint"
import { quoted } from "@persist/core/path"
import { Progress } from "@persist/core/progress"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { Handled } from "./processor.ts"

/** What came of events expects something that isn't so. */
export class ExpectationFailed extends Data.TaggedError("ExpectationFailed")<{ readonly message: string }> {}

/**
 * Why what came of events wasn't saved: somebody else has the partition, it expects what isn't so, or it's wrong or too
 * much for one commit.
 */
export type Unsaved = { readonly fenced: Fenced } | { readonly failed: Cause.Cause<ExpectationFailed | StoreError> }

/** What one partition saves. */
export class Saves {
  readonly progress: Progress
  /** Open since something was saved, or looked at. */
  readonly bell = Latch.makeUnsafe(false)
  private readonly store: StoreShape
  private readonly name: string

  constructor(store: StoreShape, checkpoint: Checkpoint) {
    this.store = store
    this.name = checkpoint.name
    this.progress = new Progress(store, checkpoint)
  }

  /** Saves a position with `ops`, which expect nothing but that the partition is still its own. */
  save(position: Position, ops: ReadonlyArray<Op>): Effect.Effect<Fenced | undefined, StoreError> {
    return Effect.tap(this.progress.save(position, ops), this.bell.open)
  }

  /**
   * Saves what goes before the position is moved on, in as many commits as it takes: whoever goes on from there after a
   * crash in between begins with what is there already.
   */
  readonly apart = Effect.fnUntraced({ self: this }, function*(
    ops: ReadonlyArray<Op>,
    fewer?: number
  ): Effect.fn.Return<Fenced | undefined, StoreError> {
    const most = fewer ?? this.store.about.limits.commitEvents - 1
    for (let from = 0; from < ops.length; from += most) {
      const some = ops.slice(from, from + most)
      const fenced: Fenced | undefined = yield* Effect.catchIf(
        this.save(this.progress.saved, some),
        ({ _tag }) => _tag === "LimitExceeded" && some.length > 1,
        () => this.apart(some, Math.ceil(some.length / 2))
      )
      if (fenced !== undefined) return fenced
    }
    return undefined
  })

  /**
   * Who was overtaken without knowing meets what the others have made since, and may fail at that: a failure counts
   * only where the partition is still its own.
   */
  readonly confirm = Effect.suspend(() => this.save(this.progress.saved, []))

  /** Saves what came of events with `also`, unless the work has done so itself; answers why, where nothing happened. */
  readonly keep = Effect.fnUntraced({ self: this }, function*(
    position: Position,
    handled: Handled,
    also: ReadonlyArray<Op> = []
  ): Effect.fn.Return<Unsaved | undefined, StoreError> {
    const { ops } = handled
    const commit = this.store.commit([this.progress.move(position), ...also, ...ops])
    const outcome = handled.outcome ?? (yield* refusedAsOwn(commit, [...also, ...ops]))
    yield* this.bell.open
    if ("failed" in outcome) return outcome
    if (outcome._tag === "Conflict" && !this.isFence(outcome)) return { failed: Cause.fail(expectationFailed(outcome)) }
    const fenced = this.progress.settle(position, outcome)
    return fenced === undefined ? undefined : { fenced }
  })

  // The checkpoint is what a commit expects first. What others have made of parked events is known to who begins again.
  private isFence({ expectation }: Conflict): boolean {
    if (expectation._tag !== "Key") return false
    const { key, namespace } = expectation
    return namespace === parkedNamespace || (namespace === checkpointNamespace && key === this.name)
  }
}

// Nothing but the operations themselves can be wrong or too much.
const refusedAsOwn = <A>(
  commit: Effect.Effect<A, StoreError>,
  ops: ReadonlyArray<Op>
): Effect.Effect<A | { readonly failed: Cause.Cause<StoreError> }, StoreError> =>
  Effect.catchIf(
    commit,
    ({ _tag }) => ops.length > 0 && (_tag === "Invalid" || _tag === "LimitExceeded"),
    (error) => Effect.succeed({ failed: Cause.fail(error) })
  )

const expectationFailed = ({ actual, expectation }: Conflict): ExpectationFailed => {
  const place = expectation._tag === "Stream"
    ? `stream ${quoted(expectation.stream)} is at seq ${actual}`
    : `key ${quoted(expectation.key)} of ${quoted(expectation.namespace)} is ${
      actual === 0 ? "absent" : `at revision ${actual}`
    }`
  return new ExpectationFailed({ message: `${place}, expected ${expectation.expected}` })
}
