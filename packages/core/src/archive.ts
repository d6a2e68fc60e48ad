/** Archives: where events go before retention removes them, step by step, each step there once or not at all. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
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
   * Keeps a step's events, whole, in place of what this run has kept under the same number before. Once it succeeds
   * they are removed from the store, so it must not before they'd survive whatever an archive is to survive. Events of
   * one stream come in the order of their seqs, one stream after the other.
   */
  readonly keep: (step: number, events: Stream.Stream<Event, StoreError>) => Effect.Effect<void, StoreError | E, R>
  /** Forgets a step, if it has it: its events are still in the store, and will be kept under another number. */
  readonly discard: (step: number) => Effect.Effect<void, E, R>
}

/** Where it's kept which step is in the making. */
export const archiveNamespace = "$archive"

const key = "step"

/** The step that is in the making, or the next; and those that never happened and may have left something. */
interface StoredClaim {
  readonly step: number
  readonly open: boolean
  readonly void: ReadonlyArray<number>
}

const Stored = Schema.Struct({ step: Schema.Natural, open: Schema.Boolean, void: Schema.Array(Schema.Natural) })

const claims = (store: StoreShape): Kv<StoredClaim> => store.system(archiveNamespace, Stored)

/** The right to archive, until somebody else claims it: what a run that broke off has left is voided by the next. */
export class Claim {
  step: number
  /** The steps before that never happened. */
  readonly void: ReadonlyArray<number>
  private readonly store: StoreShape
  private revision: Position

  constructor(store: StoreShape, stored: StoredClaim, revision: Position) {
    this.store = store
    this.step = stored.step
    this.void = stored.void
    this.revision = revision
  }

  /** Ends the step, as part of the commit that removes its events; to be told by {@link committed} that it happened. */
  get end(): Op {
    return this.put({ step: this.step + 1, open: true, void: [] })
  }

  /** The step has ended with this revision of the claim. */
  committed(revision: Position): void {
    this.step++
    this.revision = revision
  }

  /** Leaves the step's number to the next run. */
  readonly release = Effect.suspend(() => this.store.commit([this.put({ step: this.step, open: false, void: [] })]))

  private put(stored: StoredClaim): Op {
    return claims(this.store).ops.put(key, stored, { expected: this.revision })
  }
}

/** Claims the right to archive, from whoever had it. Fails as every kv write. */
export const claimArchive = Effect.fnUntraced(function*(store: StoreShape): Effect.fn.Return<Claim, StoreError> {
  const kv = claims(store)
  // Each turn that fails means that somebody else's succeeded.
  while (true) {
    const found = Option.getOrUndefined(yield* kv.entry(key))
    const before: StoredClaim = found?.value ?? { step: 1, open: false, void: [] }
    const claim = before.open
      ? { step: before.step + 1, open: true, void: [...before.void, before.step] }
      : { ...before, open: true }
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
