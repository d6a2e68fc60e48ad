/** Who is alive: judged by how long a runner's record has stood still, on this process's own clock. */
import type { Entry } from "@persist/core"
import type { RunnerRecord } from "./names.ts"

interface Sighting {
  readonly revision: number
  /** By the monotonic clock, in milliseconds. */
  readonly since: number
}

/** What one process has seen of runners. Clocks of machines are never compared. */
export class Sightings {
  private seen = new Map<string, Sighting>()

  /** Takes in the records as they are at a time of the monotonic clock; answers those of runners that are alive. */
  look(records: ReadonlyArray<Entry<RunnerRecord>>, now: number): ReadonlyArray<Entry<RunnerRecord>> {
    const before = this.seen
    this.seen = new Map()
    return records.filter((record) => {
      const known = before.get(record.key)
      const since = known?.revision === record.revision ? known.since : now
      this.seen.set(record.key, { revision: record.revision, since })
      return now - since < record.value.patience
    })
  }
}
