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

// A namespace's round takes some 100 bytes.
const remembered = 100_000

interface Round {
  /** Changes added since the last sweep. */
  added: number
  /** The revision at which the next sweep begins; from there it goes down. */
  at: number
}

/**
 * Sweeps in the transactions of whoever writes. What it remembers is only where to go on, and may be wrong. A round
 * goes down from where the first key that is written again had its change before: there those who write a little and
 * end find what others like them have left, where the lowest changes are mostly of keys that nobody writes any more.
 */
export class Sweeper {
  private readonly below: Database.Statement<[number, number, number], number>
  private readonly sweep: Database.Statement<[number, number, number]>
  private readonly rounds = new Map<number, Round>()

  constructor(db: Database.Database) {
    this.below = db.prepare<[number, number, number], number>(queries.changeBelow).pluck()
    this.sweep = db.prepare<[number, number, number]>(queries.sweepChanges)
  }

  /** Whether it has begun with a namespace; where it hasn't, `added` wants to be told of the change before. */
  hasBegun(namespace: number): boolean {
    return this.rounds.has(namespace)
  }

  /**
   * Told of each change that was added to a namespace's list, and of the revision that the key had before; sweeps where
   * it's time, within the same transaction. The first change sweeps: those that write once and end would otherwise
   * never.
   */
  added(namespace: number, revision: number, before: number | undefined): void {
    const round = this.rounds.get(namespace) ?? this.begin(namespace, before ?? revision)
    round.added++
    if (round.added < every) return
    round.added = 0
    const from = this.below.get(namespace, round.at, lookedAt - 1)
    this.sweep.run(namespace, from ?? 0, round.at)
    round.at = from === undefined ? revision : from - 1
  }

  private begin(namespace: number, at: number): Round {
    if (this.rounds.size >= remembered) this.rounds.clear()
    const round = { added: every - 1, at }
    this.rounds.set(namespace, round)
    return round
  }
}
