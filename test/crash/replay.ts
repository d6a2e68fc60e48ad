/** What a store must hold: every commit that happened, done again one after another by core's own rules. */
import type { Commit, Committed, Standing, StoredEntry, StoredEvent, Tombstone } from "@persist/core"
import { compareUtf8, judge, noSeq, origin, place, Position, Seq } from "@persist/core"
import { isDeepStrictEqual } from "node:util"
import { type Breach, breach } from "./breach.ts"
import { type SeenEntry, seenEntry, type SeenEvent, seenEvent } from "./message.ts"

interface StreamState {
  first: number
  last: Seq
  events: Array<StoredEvent>
}

/** A key that is there, or when it was removed: of a cleared namespace's keys only between which positions. */
export interface ExpectedKey {
  readonly entry: StoredEntry | Tombstone
  readonly earliest: number
}

/** The store that the commits make, if it keeps its promises. */
export class Replay {
  readonly streams = new Map<string, StreamState>()
  readonly namespaces = new Map<string, Map<string, ExpectedKey>>()
  /** Every event there ever was, in order, and as readers see it. */
  readonly history: Array<StoredEvent> = []
  readonly seen = new Map<number, SeenEvent>()
  /** Every value that a key ever had, by name and revision. */
  readonly values = new Map<string, SeenEntry>()
  head: Position = origin

  private readonly standing: Standing = {
    lastSeq: (stream) => this.streams.get(stream)?.last ?? noSeq,
    revision: (namespace, key) => {
      const entry = this.namespaces.get(namespace)?.get(key)?.entry
      return entry?._tag === "Entry" ? entry.revision : origin
    },
    recorded: () => undefined
  }

  /** How many positions a commit takes, were it to happen now. */
  span(commit: Commit): number {
    return this.place(commit, origin).position
  }

  /** Does a commit as it was told to have happened; gives what is wrong with that. */
  apply(id: string, commit: Commit, committed: Committed): Breach | undefined {
    if (committed.appended.length < commit.append.length || committed.revisions.length < commit.write.length) {
      return breach("torn", `of commit ${id} the store knows only a part: ${JSON.stringify(committed)}`)
    }
    const start = Position(committed.position - this.span(commit))
    if (start < this.head) {
      return breach(
        "reissued",
        `commit ${id} has positions from ${start + 1} on, and ${this.head} was given out before`
      )
    }
    const verdict = judge({ ...commit, identity: undefined }, this.standing)
    if (verdict !== undefined) {
      return breach(
        "misjudged",
        `commit ${id} happened at ${committed.position} in spite of ${JSON.stringify(verdict)}`
      )
    }
    const placed = this.place(commit, start)
    if (!isDeepStrictEqual(placed, committed)) {
      const saw = `${JSON.stringify(committed)} instead of ${JSON.stringify(placed)}`
      return breach("misjudged", `commit ${id} was placed at ${saw}`)
    }
    this.append(commit, placed)
    this.write(commit, placed)
    for (const { before, stream } of commit.truncate) this.truncate(stream, before)
    this.head = placed.position
    return undefined
  }

  /** The living keys of a namespace by their UTF-8 bytes. */
  living(namespace: string): ReadonlyArray<StoredEntry> {
    const keys = [...this.namespaces.get(namespace)?.values() ?? []]
    return keys.flatMap(({ entry }) => entry._tag === "Entry" ? [entry] : []).sort((a, b) => compareUtf8(a.key, b.key))
  }

  private place(commit: Commit, head: Position): Committed {
    return place(commit, head, this.standing.lastSeq, (namespace) => this.living(namespace).length)
  }

  private append({ append }: Commit, { appended }: Committed): void {
    append.forEach(({ events, stream }, i) => {
      const state = this.streams.get(stream) ?? { first: 1, last: noSeq, events: [] }
      this.streams.set(stream, state)
      events.forEach((event, n) => {
        const position = Position((appended[i]?.firstPosition ?? 0) + n)
        state.last = Seq(state.last + 1)
        const stored: StoredEvent = { stream, seq: state.last, position, ...event }
        state.events.push(stored)
        this.history.push(stored)
        this.seen.set(position, seenEvent(stored))
      })
    })
  }

  private write({ at, write }: Commit, { revisions }: Committed): void {
    write.forEach((op, i) => {
      const revision = revisions[i] ?? this.head
      const { namespace } = op
      if (op._tag === "Put") {
        this.set({ ...op, _tag: "Entry", revision, at }, revision)
        return
      }
      const gone = this.living(namespace).filter(({ key }) => op._tag === "Clear" || key === op.key)
      for (const { key } of gone) {
        this.set({ _tag: "Tombstone", namespace, key, revision, at }, revision - gone.length + 1)
      }
    })
  }

  private set(entry: StoredEntry | Tombstone, earliest: number): void {
    const keys = this.namespaces.get(entry.namespace) ?? new Map<string, ExpectedKey>()
    this.namespaces.set(entry.namespace, keys)
    keys.set(entry.key, { entry, earliest })
    const seen = seenEntry(entry)
    if (entry._tag === "Entry") this.values.set(JSON.stringify(seen.slice(0, 3)), seen)
  }

  private truncate(stream: string, before: Seq): void {
    const state = this.streams.get(stream)
    if (state === undefined) return
    state.first = Math.max(state.first, Math.min(before, state.last + 1))
    state.events = state.events.filter(({ seq }) => seq >= state.first)
  }
}
