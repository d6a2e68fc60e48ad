/** Sweeping the list of changes: what was followed by another change of the same key goes, a little at a time. */
import type Database from "better-sqlite3"
import * as queries from "./queries.ts"

/** A namespace's list is swept after so many changes. */
const every = 64

/**
 * So many changes are looked at then: two for each that was added. A round through the list is over before the list has
 * grown by half, so that it holds about twice as many changes as the namespace has keys at most.
 */
const lookedAt = 2 * every

/** The fraction by which multiples of it lie most evenly between whole numbers: the golden ratio's. */
const golden = 0.618033988749895

interface Round {
  /** Changes added since the last sweep. */
  added: number
  /** The revision after which the next sweep begins. */
  at: number
}

/** Sweeps in the transactions of whoever writes. What it remembers is only where to go on, and may be wrong. */
export class Sweeper {
  private readonly beyond: Database.Statement<[number, number, number], number>
  private readonly sweep: Database.Statement<[number, number, number]>
  private readonly rounds = new Map<number, Round>()

  constructor(db: Database.Database) {
    this.beyond = db.prepare<[number, number, number], number>(queries.changeBeyond).pluck()
    this.sweep = db.prepare<[number, number, number]>(queries.sweepChanges)
  }

  /** Told of each change that was added to a namespace's list; sweeps where it's time, within the same transaction. */
  added(namespace: number, revision: number): void {
    const round = this.rounds.get(namespace) ?? this.begin(namespace, revision)
    round.added++
    if (round.added < every) return
    round.added = 0
    const to = this.beyond.get(namespace, round.at, lookedAt - 1)
    this.sweep.run(namespace, round.at, to ?? revision)
    round.at = to ?? 0
  }

  // The first change sweeps, at a place that differs from one process to the next: those that write once and end would
  // otherwise never sweep, or always the same.
  private begin(namespace: number, revision: number): Round {
    const round = { added: every - 1, at: Math.floor((revision * golden) % 1 * revision) }
    this.rounds.set(namespace, round)
    return round
  }
}
