/** All that a parent was told of a store, by whichever child: what was asked for, and what is known of each commit. */
import type { Commit, Committed } from "@persist/core"
import { isDeepStrictEqual } from "node:util"
import { type Breach, breach, type BreachKind } from "./breach.ts"
import type { Answer, Message, SeenEntry, SeenEvent } from "./message.ts"

/** What is known of one commit. */
export interface Known {
  readonly id: string
  readonly commit: Commit
  /** That it happened, and how: said by an answer, or found out later. */
  committed: Committed | undefined
  /** Whether the store answered that it happened, and wasn't only asked afterwards. */
  acknowledged: boolean
  /** Whether some attempt ended without a word about its outcome. */
  unknown: boolean
  /** Attempts under way. */
  underway: number
}

/** A page that a reader was given. */
export interface SeenPage {
  readonly after: number
  readonly through: number
  readonly events: ReadonlyArray<SeenEvent>
}

// Errors that say that nothing happened, as a store may whose disk or server fails it.
const harmless = new Set(["Unavailable", "Denied"])
const excusable = new Set([...harmless, "OutcomeUnknown"])

/** The journal of one store, through all its processes. */
export class Journal {
  readonly commits = new Map<string, Known>()
  /** What was seen and not yet compared with what came to be. */
  pages: Array<SeenPage> = []
  entries: Array<SeenEntry> = []
  incarnation: string | undefined
  readonly breaches: Array<Breach> = []
  private readonly batches = new Map<string, ReadonlyArray<Known>>()

  /** Takes one message of a child, named by who says it. */
  hear(who: string, message: Message): void {
    switch (message._tag) {
      case "Opened":
        return this.opened(message.incarnation, message.head)
      case "Sent":
        return this.sent(`${who} ${message.batch}`, message.commits)
      case "Answered":
        return this.answered(`${who} ${message.batch}`, message.answers)
      case "Failed":
        return this.failed(`${who} ${message.batch}`, message.error, message.message)
      case "Told":
        return this.told(message.id, message.answer)
      case "Resolved":
        return this.resolved(message.id, message.committed)
      case "Page":
        this.pages.push(message)
        return
      case "Entries":
        this.entries.push(...message.entries)
        return
      case "Shut":
      case "Trouble":
        if (!excusable.has(message.error)) this.report("fault", `${message.error}: ${message.message}`)
        return
      default:
    }
  }

  /** A child has ended: of what it had under way nothing is known. */
  gone(who: string): void {
    for (const [key, batch] of this.batches) {
      if (!key.startsWith(`${who} `)) continue
      this.batches.delete(key)
      for (const known of batch) {
        known.underway--
        known.unknown = true
      }
    }
  }

  /** The commits of which only the store can say what became of them. */
  undecided(): ReadonlyArray<Known> {
    return [...this.commits.values()].filter(({ committed, unknown }) => committed === undefined && unknown)
  }

  /** The store was asked about a commit: what it says is final. */
  resolved(id: string, committed: Committed | undefined): void {
    const known = this.commits.get(id)
    if (known === undefined) return
    if (committed !== undefined) {
      if (known.committed === undefined && !known.unknown) {
        this.report("phantom", `commit ${id} happened at ${committed.position}, and the store had said that it didn't`)
      }
      this.happened(known, committed)
    } else if (known.committed !== undefined) {
      this.report("lost", `commit ${id} happened at ${known.committed.position}, and the store says that it never did`)
    } else known.unknown = false
  }

  /** Notes what must not be. */
  report(kind: BreachKind, what: string): void {
    this.breaches.push(breach(kind, what))
  }

  private opened(incarnation: string, head: number): void {
    // A store that nobody has committed to may be made anew.
    const used = [...this.commits.values()].some(({ committed }) => committed !== undefined)
    if (used && this.incarnation !== undefined && incarnation !== this.incarnation) {
      this.report("lost", `the store of incarnation ${this.incarnation} has become ${incarnation}, with head ${head}`)
    }
    this.incarnation = incarnation
  }

  private sent(key: string, commits: ReadonlyArray<Commit>): void {
    const batch = commits.map((commit) => {
      const id = commit.identity?.id
      if (id === undefined) throw new Error("a commit without an id can't be followed")
      const known = this.commits.get(id) ??
        { id, commit, committed: undefined, acknowledged: false, unknown: false, underway: 0 }
      this.commits.set(id, known)
      known.underway++
      return known
    })
    this.batches.set(key, batch)
  }

  private settle(key: string): ReadonlyArray<Known> {
    const batch = this.batches.get(key) ?? []
    this.batches.delete(key)
    for (const known of batch) known.underway--
    return batch
  }

  private answered(key: string, answers: ReadonlyArray<Answer>): void {
    this.settle(key).forEach((known, i) => {
      const answer = answers[i]
      if (answer?._tag === "Committed") {
        if (known.committed !== undefined && !answer.repeated) {
          this.report("duplicated", `commit ${known.id} happened again, at ${answer.position}`)
        }
        this.happened(known, answer)
        known.acknowledged = true
      } else if (known.committed !== undefined) {
        this.report("lost", `commit ${known.id} happened, and then was judged anew: ${JSON.stringify(answer)}`)
      } else known.unknown = false
    })
  }

  private happened(known: Known, { repeated: _, ...committed }: Committed): void {
    const { committed: before, id } = known
    if (before === undefined) {
      known.committed = { ...committed, repeated: false }
      return
    }
    if (!isDeepStrictEqual(before, { ...committed, repeated: false })) {
      this.report("duplicated", `commit ${id} was ${JSON.stringify(before)}, then ${JSON.stringify(committed)}`)
    }
  }

  private failed(key: string, error: string, message: string): void {
    const batch = this.settle(key)
    if (!excusable.has(error)) this.report("fault", `a commit failed with ${error}: ${message}`)
    if (!harmless.has(error)) { for (const known of batch) known.unknown = true }
  }

  private told(id: string, answer: Answer): void {
    const committed = this.commits.get(id)?.committed
    if (answer._tag !== "Committed") {
      if (committed !== undefined) this.report("lost", `the client of ${id} was told of a conflict, yet it happened`)
    } else if (!isDeepStrictEqual({ ...answer, repeated: false }, committed)) {
      this.report("misjudged", `the client of ${id} was told ${JSON.stringify(answer)}`)
    }
  }
}
