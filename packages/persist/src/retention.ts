/** Retention of a store, as Promises: streams made shorter by a rule, archived first where that's wanted. */
import * as Core from "@persist/core"
import type { Event, Retained, RetentionCut, RetentionRule, StoreError, StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { Cursor } from "./cursor.ts"
import { type Reading, reading } from "./reading.ts"
import { type Abortable, call } from "./run.ts"
import { Thrown } from "./running.ts"

/** A place for the events that retention removes. */
export interface Archive {
  /**
   * Keeps a step's events, whole, in place of what it has kept under the same name before. Once it resolves they are
   * removed from the store, so it must not before they'd survive whatever an archive is to survive; rejecting stops the
   * run, and nothing of the step is removed. Names sort as their steps came.
   */
  readonly keep: (step: string, events: AsyncIterable<Event>) => Promise<void>
  /** Forgets a step, if it has it: its events are still in the store, and will be kept under another name. */
  readonly discard: (step: string) => Promise<void>
}

/** A rule, and where to put what it removes. */
export interface RetainOptions extends RetentionRule {
  /** Where events go before they are removed; nowhere by default: then they are lost. */
  readonly archive?: Archive | undefined
}

/** The verbs of a store that shorten its streams by a rule. */
export interface Retention {
  /** Tells what `retain` with this rule would do now, stream by stream, and changes nothing. */
  readonly planRetention: (rule: RetentionRule & Abortable) => Reading<RetentionCut>
  /**
   * Removes what a rule lets go, but never an event that a registered reader has yet to read or a snapshot needs; with
   * an `archive` only once it has it. Whatever ends it, calling it again goes on. Rejects with `Invalid` for a bad
   * rule, with what the archive rejects with, with `Unavailable` where another run has taken the archive over, and as
   * every commit.
   */
  readonly retain: (options: RetainOptions & Abortable) => Promise<Retained>
}

/** Makes the Promise interface of retention. */
export const promiseRetention = (store: StoreShape): Retention => ({
  planRetention: (rule) => reading(rule, (own) => Core.planRetention(store, own)),
  retain: (options) =>
    call(options, (own) => {
      const archive = own?.archive
      // What is no archive is core's to refuse.
      return typeof archive?.keep === "function" && typeof archive.discard === "function"
        ? Effect.mapError(Core.retain(store, { ...own, archive: archiveOf(archive) }), ownCause)
        : Core.retain(store, own as RetentionRule) // as it was given
    })
})

const handed = (work: () => Promise<void>): Effect.Effect<void, Thrown> =>
  Effect.tryPromise({ try: work, catch: (cause) => new Thrown(cause) })

const ownCause = (error: StoreError | Thrown): unknown => error instanceof Thrown ? error.cause : error

/** An archive as core takes it, which fails with what the functions throw or reject with. */
const archiveOf = (archive: Archive): Core.Archive<Thrown> => {
  return {
    keep: (step, events) =>
      handed(async () =>
        archive.keep(step, { [Symbol.asyncIterator]: () => new Cursor(events, undefined, undefined) })
      ),
    discard: (step) => handed(async () => archive.discard(step))
  }
}
