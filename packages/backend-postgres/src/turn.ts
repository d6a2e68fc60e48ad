/** A batch as it is judged by what is known of the store so far, and what writing it came to. */
import type { Commit, Outcome } from "@persist/core"
import { isReadonlyArrayNonEmpty, type NonEmptyReadonlyArray } from "effect/Array"
import { assume, type Assumption, type Told } from "./assume.ts"
import { type Caller, happening, type Placed } from "./encode.ts"
import type { Memory } from "./memory.ts"
import { play, type Played } from "./play.ts"

/** Who writes, and how long it waits. */
export type Writing = Pick<Caller, "incarnation" | "floor" | "patience">

/** A batch that was judged by an assumption, and those of its commits that happen by it. */
export interface Turn {
  readonly assumption: Assumption
  readonly played: Played
  readonly placed: ReadonlyArray<Placed>
}

/** Judges a batch by what is remembered and told. */
export const judgeTurn = (batch: NonEmptyReadonlyArray<Commit>, memory: Memory, told: Told): Turn => {
  const assumption = assume(batch, memory, told)
  const played = play(batch, assumption)
  return { assumption, played, placed: happening(batch, played) }
}

/** What a batch came to. */
export interface Written {
  readonly outcomes: NonEmptyReadonlyArray<Outcome>
  /** The head after it. */
  readonly head: number
  readonly changed: boolean
  /** Whether others listen for notifications. */
  readonly listened: boolean
}

/** What a batch with these outcomes came to, from the head before it to the one after it. */
export const writtenAs = (
  outcomes: ReadonlyArray<Outcome>,
  { head: before, listened }: Pick<Written, "head" | "listened">,
  head: number
): Written => {
  if (!isReadonlyArrayNonEmpty(outcomes)) throw new Error("a batch without outcomes")
  return { outcomes, head, changed: head > before, listened }
}
