/** A plain model of the protocol: one list of all that ever happened, from which every answer is worked out anew. */
import type {
  BackendShape,
  Commit,
  Committed,
  Expectation,
  Outcome,
  StoredEntry,
  StoredEvent,
  StreamInfo,
  Tombstone
} from "@persist/core"
import { compareUtf8, copyPayload, Invalid, makeSignal, noSeq, origin, Position, Seq } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Fixture } from "./fixture.ts"

type Fact =
  | { readonly kind: "event"; readonly event: StoredEvent }
  | { readonly kind: "key"; readonly item: StoredEntry | Tombstone }
  | { readonly kind: "truncation"; readonly stream: string; readonly before: number }
  | { readonly kind: "commit"; readonly id: string; readonly digest: string; readonly committed: Committed }

// Positions go up in steps, so that nobody who is compared to the model may count with them.
const step = 3

class History {
  facts: ReadonlyArray<Fact> = []
  head = 0

  next(): Position {
    this.head += step
    return Position(this.head)
  }

  appended(stream: string): ReadonlyArray<StoredEvent> {
    return this.facts.flatMap((fact) => fact.kind === "event" && fact.event.stream === stream ? [fact.event] : [])
  }

  /** What is left of a stream: events that no later truncation names. */
  left(stream: string): ReadonlyArray<StoredEvent> {
    return this.appended(stream).filter((event) => {
      const at = this.facts.findIndex((fact) => fact.kind === "event" && fact.event === event)
      return !this.facts.slice(at).some((fact) =>
        fact.kind === "truncation" && fact.stream === stream && event.seq < fact.before
      )
    })
  }

  lastSeq(stream: string): Seq {
    return this.appended(stream).at(-1)?.seq ?? noSeq
  }

  streams(): ReadonlyArray<string> {
    const names = this.facts.flatMap((fact) => fact.kind === "event" ? [fact.event.stream] : [])
    return [...new Set(names)].sort(compareUtf8)
  }

  /** The last write of each key of a namespace, by revision. */
  last(namespace: string): ReadonlyArray<StoredEntry | Tombstone> {
    const all = this.facts.flatMap((fact) =>
      fact.kind === "key" && fact.item.namespace === namespace ? [fact.item] : []
    )
    return all.filter((item, n) => !all.slice(n + 1).some(({ key }) => key === item.key))
  }

  living(namespace: string): ReadonlyArray<StoredEntry> {
    return this.last(namespace).flatMap((item) => item._tag === "Entry" ? [item] : [])
      .sort((a, b) => compareUtf8(a.key, b.key))
  }

  namespaces(): ReadonlyArray<string> {
    const names = this.facts.flatMap((fact) => fact.kind === "key" ? [fact.item.namespace] : [])
    return [...new Set(names)].sort(compareUtf8)
  }

  commit(commit: Commit): Outcome {
    const { identity } = commit
    const before = this.facts.find((fact) => fact.kind === "commit" && fact.id === identity?.id)
    if (before?.kind === "commit") {
      return before.digest === identity?.digest ? { ...before.committed, repeated: true } : reused
    }
    for (const expectation of commit.expect) {
      const actual = this.actual(expectation)
      const { expected } = expectation
      const isMet = expected === "exists" ? actual > 0 : actual === (expected === "absent" ? 0 : expected)
      if (!isMet) return { _tag: "Conflict", expectation, actual }
    }
    return this.happen(commit)
  }

  private actual(expectation: Expectation): number {
    if (expectation._tag === "Stream") return this.lastSeq(expectation.stream)
    return this.living(expectation.namespace).find(({ key }) => key === expectation.key)?.revision ?? 0
  }

  private happen({ append, at, identity, truncate, write }: Commit): Committed {
    const facts: Array<Fact> = []
    const appended = append.map(({ events, stream }) => {
      const last = this.lastSeq(stream)
      const stored = events.map((event, n): StoredEvent => ({
        ...event,
        stream,
        seq: Seq(last + 1 + n),
        position: this.next(),
        data: copyPayload(event.data)
      }))
      facts.push(...stored.map((event): Fact => ({ kind: "event", event })))
      const [first = stored[0], end = first] = [stored[0], stored.at(-1)]
      return {
        stream,
        first: first?.seq ?? noSeq,
        last: end?.seq ?? noSeq,
        firstPosition: first?.position ?? origin,
        lastPosition: end?.position ?? origin
      }
    })
    const revisions = write.map((op) => {
      const { namespace } = op
      const gone = op._tag === "Clear"
        ? this.living(namespace)
        : this.living(namespace).filter(({ key }) => key === op.key)
      if (op._tag === "Put") {
        const revision = this.next()
        facts.push({ kind: "key", item: { ...op, _tag: "Entry", value: copyPayload(op.value), revision, at } })
      } else {
        for (const { key } of gone) {
          facts.push({ kind: "key", item: { _tag: "Tombstone", namespace, key, revision: this.next(), at } })
        }
        if (op._tag === "Delete" && gone.length === 0) this.next()
      }
      return Position(this.head)
    })
    for (const { before, stream } of truncate) {
      this.next()
      facts.push({ kind: "truncation", stream, before })
    }
    const committed: Committed = {
      _tag: "Committed",
      position: Position(this.head),
      appended,
      revisions,
      repeated: false
    }
    this.facts = [...this.facts, ...facts, ...identity ? [{ kind: "commit", ...identity, committed } as const] : []]
    return committed
  }
}

const reused: Outcome = {
  _tag: "Refused",
  error: new Invalid({ field: "id", reason: "was used before with other content", remedy: "use a new id" })
}

const within = (name: string, after: string | undefined) => after === undefined || compareUtf8(name, after) > 0

// All pages of the model are whole: the range to its end, or as many as the limit allows.
const page = <A>(all: ReadonlyArray<A>, limit: number, end: number, at: (item: A) => Position) => {
  const items = all.slice(0, limit)
  const last = items.at(-1)
  return { items, through: all.length > limit && last !== undefined ? at(last) : Position(end) }
}

const modelOf = (history: History, about: BackendShape["about"]): BackendShape => {
  const signal = makeSignal()
  return {
    about,
    ...commitsOf(history, signal.notify),
    ...logOf(history),
    ...kvOf(history),
    changes: signal.changes
  }
}

const commitsOf = (history: History, notify: () => void): Pick<BackendShape, "commit" | "resolve" | "head"> => ({
  commit: (batch) =>
    Effect.sync(() => {
      const outcomes = NonEmpty.map(batch, (commit) => history.commit(commit))
      notify()
      return outcomes
    }),
  resolve: (id) =>
    Effect.sync(() => {
      const found = history.facts.flatMap((fact) => fact.kind === "commit" && fact.id === id ? [fact.committed] : [])
      return Option.fromNullishOr(found[0])
    }),
  head: Effect.sync(() => Position(history.head))
})

const logOf = (history: History): Pick<BackendShape, "readStream" | "readAll" | "streams"> => ({
  readStream: ({ from, limit, reverse, stream, to }) =>
    Effect.sync(() => {
      const all = history.left(stream).filter(({ seq }) => seq >= from && seq <= to)
      return (reverse ? all.toReversed() : all).slice(0, limit).map(copyEvent)
    }),
  readAll: ({ after, limit, prefix, reverse, to, types }) =>
    Effect.sync(() => {
      const all = history.streams()
        .filter((stream) => stream.startsWith(prefix))
        .flatMap((stream) => history.left(stream))
        .filter(({ position, type }) => position > after && position <= to && (types?.includes(type) ?? true))
        .sort((a, b) => a.position - b.position)
        .map(copyEvent)
      return page(reverse ? all.reverse() : all, limit, Math.min(to, history.head), ({ position }) => position)
    }),
  streams: ({ after, limit, prefix }) =>
    Effect.sync(() =>
      history.streams().filter((name) => name.startsWith(prefix) && within(name, after)).slice(0, limit)
        .map((stream): StreamInfo => {
          const last = history.lastSeq(stream)
          return { stream, first: history.left(stream)[0]?.seq ?? Seq(last + 1), last }
        })
    )
})

const kvOf = (history: History): Pick<BackendShape, "get" | "scan" | "changed" | "namespaces"> => ({
  get: (names) =>
    Effect.sync(() =>
      names.map(({ key, namespace }) => {
        const found = history.living(namespace).find((entry) => entry.key === key)
        return found && copyEntry(found)
      })
    ),
  scan: ({ gte, limit, lt, namespace, reverse }) =>
    Effect.sync(() => {
      const all = history.living(namespace).filter(({ key }) =>
        (gte === undefined || compareUtf8(key, gte) >= 0) && (lt === undefined || compareUtf8(key, lt) < 0)
      )
      return (reverse ? all.toReversed() : all).slice(0, limit).map(copyEntry)
    }),
  changed: ({ after, limit, namespace }) =>
    Effect.sync(() => {
      const all = history.last(namespace).filter(({ revision }) => revision > after)
      return page(all.map(copyEntry), limit, history.head, ({ revision }) => revision)
    }),
  namespaces: ({ after, limit }) =>
    Effect.sync(() =>
      history.namespaces().map((namespace) => ({ namespace, keys: history.living(namespace).length }))
        .filter(({ keys, namespace }) => keys > 0 && within(namespace, after)).slice(0, limit)
    )
})

const copyEvent = (event: StoredEvent): StoredEvent => ({ ...event, data: copyPayload(event.data) })

const copyEntry = <A extends StoredEntry | Tombstone>(item: A): A =>
  item._tag === "Entry" ? { ...item, value: copyPayload(item.value) } : item

/** Places with the model in them: what a store is compared to. A place keeps its history as long as it lasts. */
export const model = (limits: BackendShape["about"]["limits"]): Fixture => ({
  name: "model",
  place: Effect.sync(() => {
    const backend = modelOf(new History(), {
      name: "model",
      durability: "process",
      shared: true,
      ambiguous: false,
      lacks: new Set(),
      limits,
      incarnation: crypto.randomUUID()
    })
    return { open: Effect.succeed(backend) }
  })
})
