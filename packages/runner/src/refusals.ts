/** Partitions that can't be run as things are: why, and when to try again. */
import { isStoreError, type Position } from "@persist/core"
import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import { type Attempt, describe } from "./failure.ts"
import type { PartitionReport } from "./names.ts"

/** Milliseconds until what couldn't be run is tried again, where nobody said something of it before. */
const wait = 10_000

// What goes away by itself, or by the store's being reached again, is tried again at once.
const lasting = new Set<string>(["Invalid", "LimitExceeded", "Corrupt", "Unsupported"])

/** Whether trying again at once would meet the same failure. */
export const isLasting = (cause: Cause.Cause<unknown>): boolean =>
  !Cause.hasInterruptsOnly(cause) &&
  Option.match(Cause.findErrorOption(cause), {
    onNone: () => true,
    onSome: (error) => isStoreError(error) && lasting.has(error._tag)
  })

interface Refusal {
  readonly error: Attempt
  /** By the monotonic clock. */
  readonly since: number
  /** What had been said of the processor until then. */
  readonly control: Position | undefined
}

/** What can't be run, by reader. */
export class Refusals {
  private readonly all = new Map<string, Refusal>()

  /** Notes why a partition can't be run, and answers that; `at` is in milliseconds since 1970. */
  note(
    reader: string,
    cause: Cause.Cause<unknown>,
    { at, control, since }: Omit<Refusal, "error"> & { readonly at: number }
  ): Attempt {
    const error = { at, error: describe(cause) }
    this.all.set(reader, { error, since, control })
    return error
  }

  /** Whether it's too early to try again. */
  holds(reader: string, now: number, control: Position | undefined): boolean {
    const refusal = this.all.get(reader)
    return refusal !== undefined && refusal.control === control && now - refusal.since < wait
  }

  /** It runs, or isn't this runner's any more. */
  clear(reader: string): void {
    this.all.delete(reader)
  }

  /** How they fare. */
  get reports(): ReadonlyArray<PartitionReport> {
    return Array.from(
      this.all,
      ([reader, { error }]) => ({ reader, state: "stopped", position: 0, handled: 0, rate: 0, error })
    )
  }
}
