/** Who is alive: judged by how long a runner's record has stood still, on this process's own clock. */
import type { Entry } from "@persist/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { RunnerRecord } from "./names.ts"

interface Sighting {
  readonly revision: number
  /** By the monotonic clock, in milliseconds. */
  readonly since: number
  /** Whether another revision was seen before: then `since` is when it was written, but for the time between looks. */
  readonly moved: boolean
}

/** The time of this machine's monotonic clock, in milliseconds. */
export const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))

/** What one process has seen of runners. Clocks of machines are never compared. */
export class Sightings {
  private seen = new Map<string, Sighting>()

  /** Takes in the records as they are at a time of the monotonic clock; answers those of runners that are alive. */
  look(records: ReadonlyArray<Entry<RunnerRecord>>, now: number): ReadonlyArray<Entry<RunnerRecord>> {
    const before = this.seen
    this.seen = new Map()
    return records.filter((record) => {
      const known = before.get(record.key)
      const stands = known?.revision === record.revision
      const since = stands ? known.since : now
      this.seen.set(record.key, { revision: record.revision, since, moved: stands ? known.moved : known !== undefined })
      return now - since < record.value.patience
    })
  }

  /**
   * For how many milliseconds a runner has been silent, where that was watched: its record was seen to be written, or
   * to stand still for its patience, which then is the least. `undefined` as long as neither is so.
   */
  silence({ key, value: { patience } }: Entry<RunnerRecord>, now: number): number | undefined {
    const seen = this.seen.get(key)
    return seen !== undefined && (seen.moved || now - seen.since >= patience) ? now - seen.since : undefined
  }
}
