/** What a store did that it promised not to. */

/**
 * - `lost`: something that was acknowledged, resolved or shown isn't there.
 * - `duplicated`: one commit happened twice.
 * - `reissued`: a position or seq was given to two things.
 * - `torn`: part of a commit is there.
 * - `phantom`: something is there that never was committed, or that the store said didn't happen.
 * - `altered`: something isn't what was written.
 * - `misjudged`: a commit happened though its expectation didn't hold, or was numbered wrongly.
 * - `hidden`: something appeared at or below a position that a reader had been given.
 * - `derived`: a read model, checkpoint or snapshot says something else than the log.
 * - `fault`: the store failed as it never may: a defect, or damage it says it found.
 */
export type BreachKind =
  | "lost"
  | "duplicated"
  | "reissued"
  | "torn"
  | "phantom"
  | "altered"
  | "misjudged"
  | "hidden"
  | "derived"
  | "fault"

/** One breach, in words that name the commit, position or key. */
export interface Breach {
  readonly kind: BreachKind
  readonly what: string
}

/** A breach. */
export const breach = (kind: BreachKind, what: string): Breach => ({ kind, what })
