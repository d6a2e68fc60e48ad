/** What verification finds wrong. */

/** One thing that can't be: where it is, and what is wrong with it. */
export interface Finding {
  readonly where: string
  readonly what: string
}

/** What was looked at. */
export interface Counts {
  events: number
  streams: number
  namespaces: number
  keys: number
  snapshots: number
  readers: number
}

/** Collects findings; of very many it keeps the first and counts the rest. */
export class Findings {
  readonly kept: Array<Finding> = []
  readonly counts: Counts = { events: 0, streams: 0, namespaces: 0, keys: 0, snapshots: 0, readers: 0 }
  total = 0
  private readonly said = new Set<string>()

  /** Notes a finding. */
  add(where: string, what: string): void {
    const said = JSON.stringify([where, what])
    // What is met again is no other finding.
    if (this.said.has(said)) return
    if (this.said.size < mostKept) this.said.add(said)
    this.total++
    if (this.kept.length < mostKept) this.kept.push({ where, what })
  }
}

const mostKept = 1000
