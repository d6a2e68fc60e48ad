/** Archives: where events go before retention removes them, step by step, each step there once or not at all. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { newCommitId } from "./commit-id.ts"
import type { Conflict } from "./commit.ts"
import type { Op } from "./draft.ts"
import { type StoreError, Unavailable } from "./error.ts"
import type { Event } from "./event.ts"
import type { Kv } from "./kv.ts"
import type { Position } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** A place for the events that retention removes. */
export interface Archive<E = never, R = never> {
  /**
   * Keeps a step's events, whole, in place of what it has kept under the same name before. Once it succeeds they are
   * removed from the store, so it must not before they'd survive whatever an archive is to survive. Events of one
   * stream come in the order of their seqs, one stream after the other; names, of digits, letters and `-`, sort as
   * their steps came, and no other store gives the same.
   */
  readonly keep: (step: string, events: Stream.Stream<Event, StoreError>) => Effect.Effect<void, StoreError | E, R>
  /** Forgets a step, if it has it: its events are still in the store, and will be kept under another name. */
  readonly discard: (step: string) => Effect.Effect<void, E, R>
}

/** Where it's kept which step is in the making. */
export const archiveNamespace = "$archive"

const key = "step"

/** The step that is in the making, or the next; and those that never happened and may have left something. */
interface StoredClaim {
  readonly step: number
  /** Told apart from every other run's. */
  readonly run: string
  readonly open: boolean
  readonly void: ReadonlyArray<string>
}

const Stored = Schema.Struct({
  step: Schema.Natural,
  run: Schema.String,
  open: Schema.Boolean,
  void: Schema.Array(Schema.String)
})

const nameOf = ({ run, step }: Pick<StoredClaim, "run" | "step">): string => `${String(step).padStart(10, "0")}-${run}`

const claims = (store: StoreShape): Kv<StoredClaim> => store.system(archiveNamespace, Stored)

/** The right to archive, until somebody else claims it: what a run that broke off has left is voided by the next. */
export class Claim {
  private readonly store: StoreShape
  private stored: StoredClaim
  private revision: Position

  constructor(store: StoreShape, stored: StoredClaim, revision: Position) {
    this.store = store
    this.stored = stored
    this.revision = revision
  }

  /** The name of the step in the making. */
  get step(): string {
    return nameOf(this.stored)
  }

  /** The names of the steps before that never happened. */
  get void(): ReadonlyArray<string> {
    return this.stored.void
  }

  private get next(): StoredClaim {
    return { ...this.stored, step: this.stored.step + 1, void: [] }
  }

  /** Ends the step, as part of the commit that removes its events; to be told by {@link committed} that it happened. */
  get end(): Op {
    return this.put(this.next)
  }

  /** The step has ended with this revision of the claim. */
  committed(revision: Position): void {
    this.stored = this.next
    this.revision = revision
  }

  /** Leaves the step to the next run. */
  readonly release = Effect.suspend(() => this.store.commit([this.put({ ...this.stored, open: false, void: [] })]))

  private put(stored: StoredClaim): Op {
    return claims(this.store).ops.put(key, stored, { expected: this.revision })
  }
}

/** Claims the right to archive, from whoever had it. Fails as every kv write. */
export const claimArchive = Effect.fnUntraced(function*(store: StoreShape): Effect.fn.Return<Claim, StoreError> {
  const kv = claims(store)
  const run = newCommitId(yield* Clock.currentTimeMillis).slice(-12)
  // Each turn that fails means that somebody else's succeeded.
  while (true) {
    const found = Option.getOrUndefined(yield* kv.entry(key))
    const before: StoredClaim = found?.value ?? { step: 1, run, open: false, void: [] }
    const claim = before.open
      ? { step: before.step + 1, run, open: true, void: [...before.void, nameOf(before)] }
      : { ...before, run, open: true }
    const written = yield* kv.put(key, claim, { expected: found?.revision ?? "absent" })
    if (written._tag === "Committed") return new Claim(store, claim, written.revision)
  }
})

/** Whether a commit was refused because somebody else has claimed the archive. */
export const isOvertaken = ({ expectation }: Conflict): boolean =>
  expectation._tag === "Key" && expectation.namespace === archiveNamespace

/** The end of a run that another one has taken the archive from. */
export const overtaken = new Unavailable({
  operation: "retain",
  reason: "another run archives now; what this one had not yet removed is left to it",
  remedy: "let it finish, then run again"
})
