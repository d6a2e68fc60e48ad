/** The reference backend: what a store holds, in maps and one array, and what a commit does to it. Read it first. */
import type {
  AllRange,
  Append,
  Commit,
  Committed,
  Outcome,
  Recorded,
  Standing,
  StoredEntry,
  StoredEvent,
  Write
} from "@persist/core"
import { copyPayload, judge, noSeq, origin, place, Position, Seq } from "@persist/core"
import { firstIndex } from "./first-index.ts"
import { type Kept, Keys } from "./keys.ts"
import { SortedNames } from "./sorted-names.ts"

/** What is left of a stream, and its last seq, which outlives its events. */
interface EventStream {
  last: Seq
  events: Array<StoredEvent>
}

/** Copies in and copies out: what a caller does to its objects afterwards must not reach the store. */
export const copyEvent = (event: StoredEvent): StoredEvent => ({ ...event, data: copyPayload(event.data) })
/** An entry that shares no memory with the store. */
export const copyEntry = <A extends Kept>(entry: A): A =>
  entry._tag === "Entry" ? { ...entry, value: copyPayload(entry.value) } : entry

/** State and rules of one store; every method is synchronous, so nothing can come between check and change. */
export class Memory {
  head = origin
  log: Array<StoredEvent> = []
  readonly streams = new Map<string, EventStream>()
  /** The names of all streams. */
  readonly names = new SortedNames()
  readonly namespaces = new Map<string, Keys>()
  readonly commits = new Map<string, Recorded>()

  readonly lastSeq = (stream: string): Seq => this.streams.get(stream)?.last ?? noSeq
  readonly entry = (namespace: string, key: string): StoredEntry | undefined =>
    this.namespaces.get(namespace)?.entry(key)

  private readonly standing: Standing = {
    lastSeq: this.lastSeq,
    revision: (namespace, key) => this.entry(namespace, key)?.revision ?? origin,
    recorded: (id) => this.commits.get(id)
  }
  private readonly count = (namespace: string): number => this.namespaces.get(namespace)?.living ?? 0

  commit(commit: Commit): Outcome {
    const verdict = judge(commit, this.standing)
    if (verdict !== undefined) return verdict
    const placed = place(commit, this.head, this.lastSeq, this.count)
    this.apply(commit, placed)
    this.head = placed.position
    if (commit.identity !== undefined) {
      // A copy: what the caller is given must not be the record itself.
      this.commits.set(commit.identity.id, { digest: commit.identity.digest, committed: structuredClone(placed) })
    }
    return placed
  }

  private apply({ append, at, truncate, write }: Commit, { appended, revisions }: Committed): void {
    for (let i = 0; i < append.length; i++) {
      const asked = append[i]
      if (asked !== undefined) this.append(asked, appended[i]?.firstPosition ?? this.head)
    }
    for (let i = 0; i < write.length; i++) {
      const op = write[i]
      if (op !== undefined) this.change(op, revisions[i] ?? this.head, at)
    }
    for (const { before, stream } of truncate) {
      const from = this.streams.get(stream)
      if (from === undefined) continue
      from.events = from.events.filter((event) => event.seq >= before)
      this.log = this.log.filter((event) => event.stream !== stream || event.seq >= before)
    }
  }

  private append({ events, stream }: Append, first: Position): void {
    let into = this.streams.get(stream)
    if (into === undefined) {
      this.streams.set(stream, into = { last: noSeq, events: [] })
      this.names.add(stream)
    }
    let position = first
    for (const { at, data, id, meta, type } of events) {
      into.last = Seq(into.last + 1)
      const stored = { stream, seq: into.last, position, type, at, data: copyPayload(data), meta, id }
      into.events.push(stored)
      this.log.push(stored)
      position = Position(position + 1)
    }
  }

  private change(op: Write, revision: Position, at: number): void {
    const { namespace } = op
    let keys = this.namespaces.get(namespace)
    if (keys === undefined) this.namespaces.set(namespace, keys = new Keys())
    if (op._tag === "Put") {
      const { key, meta, value } = op
      return keys.write({ _tag: "Entry", namespace, key, value: copyPayload(value), meta, revision, at })
    }
    const gone = op._tag === "Clear" ? keys.within(all) : keys.entry(op.key) === undefined ? [] : [op]
    let position = revision - gone.length
    for (const { key } of gone) {
      keys.write({ _tag: "Tombstone", namespace, key, revision: Position(++position), at })
    }
  }

  range({ after, limit, prefix, reverse, to, types }: AllRange): Array<StoredEvent> {
    const found: Array<StoredEvent> = []
    const step = reverse ? -1 : 1
    for (let i = reverse ? this.firstAbove(to) - 1 : this.firstAbove(after); found.length < limit; i += step) {
      const event = this.log[i]
      if (event === undefined || event.position > to || event.position <= after) break
      if (!event.stream.startsWith(prefix)) continue
      if (types === undefined || types.includes(event.type)) found.push(copyEvent(event))
    }
    return found
  }

  /** Index of the first event above a position: the log is in their order, with holes. */
  private firstAbove(after: Position): number {
    return firstIndex(this.log, ({ position }) => position > after)
  }
}

const all = { gte: undefined, lt: undefined, limit: Infinity, reverse: false }
