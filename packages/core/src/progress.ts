/** How far a run has come under its name, and the fence that keeps two of them from moving on together. */
import * as Effect from "effect/Effect"
import type { About } from "./backend.ts"
import { type Checkpoint, checkpoints, type Fenced, moveOp, type StoredCheckpoint } from "./checkpoint.ts"
import type { Committed, Conflict } from "./commit.ts"
import type { Op } from "./draft.ts"
import { type StoreError, Unavailable } from "./error.ts"
import type { Kv } from "./kv.ts"
import { Position } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/**
 * After how many positions without an event of its own a run saves that it has passed them. Saving takes a position
 * too and wakes every other run: if each answered that with a save of its own, they would never come to rest.
 */
export const idleStretch = 1000

/** The checkpoint a run holds. */
export class Progress {
  private checkpoint: Checkpoint
  private busyUntil: Position
  private readonly about: About
  private readonly commit: StoreShape["commit"]
  private readonly kv: Kv<StoredCheckpoint>

  constructor(store: StoreShape, checkpoint: Checkpoint) {
    this.about = store.about
    this.commit = store.commit
    this.kv = checkpoints(store)
    this.checkpoint = checkpoint
    this.busyUntil = checkpoint.position
  }

  /** The position last saved. */
  get saved(): Position {
    return this.checkpoint.position
  }

  /** There were events up to here, whether they are saved already or not. */
  busy(position: Position): void {
    this.busyUntil = position
  }

  /** Whether so long a stretch was passed since the last event that it's worth saving. */
  passed(position: Position): boolean {
    return position - this.busyUntil >= idleStretch
  }

  /** Saves a position in one commit with `ops`; `Fenced` where somebody else saved meanwhile: nothing happened. */
  save(position: Position, ops: ReadonlyArray<Op> = []): Effect.Effect<Fenced | undefined, StoreError> {
    return Effect.map(this.commit([this.move(position), ...ops]), (outcome) => this.settle(position, outcome))
  }

  /** What saves a position, for whoever makes the commit; to be the first write of it. */
  move(position: Position): Op {
    return moveOp(this.about, this.kv, this.checkpoint, position)
  }

  /** Goes on from the position that a commit has saved; `Fenced` where somebody else saved meanwhile. */
  settle(position: Position, outcome: Committed | Conflict): Fenced | undefined {
    const { checkpoint } = this
    if (outcome._tag === "Conflict") return { _tag: "Fenced", name: checkpoint.name, position: checkpoint.position }
    this.checkpoint = { ...checkpoint, position, revision: outcome.revisions[0] ?? outcome.position }
    this.busyUntil = Position(Math.max(position, this.busyUntil))
    return undefined
  }
}

/**
 * What a run that should follow for ever fails with when there are no more wake-ups: `Invalid`, as every call, where
 * the store was closed; `Unavailable` where its backend ended them.
 */
export const wakeUpsEnded = ({ engine }: StoreShape): Effect.Effect<never, StoreError> =>
  engine.reading(undefined, Effect.fail(noWakeUps))

const noWakeUps = new Unavailable({
  operation: "follow",
  reason: "the backend ended its wake-ups",
  remedy: "run the same name again: it goes on from its checkpoint"
})
