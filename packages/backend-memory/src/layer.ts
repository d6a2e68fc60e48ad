/** The protocol over a `Memory`: each verb is one synchronous step. */
import type { BackendShape, Limits, Outcome, StoredEvent, StreamInfo } from "@persist/core"
import { Backend, compareUtf8, defaultLimits, makeSignal, Position, Seq } from "@persist/core"
import { atOnce } from "@persist/core/posted"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Kept } from "./keys.ts"
import { copyEntry, copyEvent, Memory } from "./memory.ts"

/** A memory store may declare smaller limits than the default ones, to meet them in a test. */
export interface Config {
  readonly limits?: Partial<Limits>
}

/** Makes a new, empty store; it is gone with the last reference to it. */
export const make = (config: Config = {}): Effect.Effect<BackendShape> =>
  Effect.sync(() => {
    const store = new Memory()
    const signal = makeSignal()
    return {
      about: {
        name: "memory",
        durability: "memory",
        shared: false,
        ambiguous: false,
        lacks: new Set(),
        limits: { ...defaultLimits, ...config.limits },
        incarnation: crypto.randomUUID()
      },
      commit: (batch) =>
        atOnce(() => {
          const outcomes: NonEmpty.NonEmptyReadonlyArray<Outcome> = batch.length === 1
            ? [store.commit(batch[0])]
            : NonEmpty.map(batch, (commit) => store.commit(commit))
          signal.notify()
          return outcomes
        }),
      resolve: (id) => atOnce(() => Option.fromNullishOr(structuredClone(store.commits.get(id)?.committed))),
      ...logReads(store),
      ...kvReads(store),
      head: atOnce(() => store.head),
      changes: signal.changes
    }
  })

const logReads = (store: Memory): Pick<BackendShape, "readStream" | "readAll" | "streams"> => ({
  readStream: ({ from, limit, reverse, stream, to }) =>
    atOnce(() => {
      const events = store.streams.get(stream)?.events ?? []
      const first = events[0]?.seq ?? 1
      const start = Math.max(0, from - first)
      const end = Math.min(events.length, Math.max(0, to - first + 1))
      const within = reverse
        ? events.slice(Math.max(start, end - limit), end).reverse()
        : events.slice(start, Math.min(end, start + limit))
      return within.map(copyEvent)
    }),
  readAll: (range) =>
    atOnce(() => {
      const items = store.range(range)
      return { items, through: reached(items, range.limit, smaller(range.to, store.head)) }
    }),
  streams: ({ after, limit, prefix }) =>
    atOnce(() => {
      const found: Array<StreamInfo> = []
      const from = after !== undefined && compareUtf8(after, prefix) > 0 ? after : prefix
      for (const name of store.names.from(from)) {
        if (found.length >= limit || !name.startsWith(prefix)) break
        if (name !== after) found.push(infoOf(store, name))
      }
      return found
    })
})

const infoOf = (store: Memory, stream: string): StreamInfo => {
  const last = store.lastSeq(stream)
  return { stream, first: store.streams.get(stream)?.events[0]?.seq ?? Seq(last + 1), last }
}

const kvReads = (store: Memory): Pick<BackendShape, "get" | "scan" | "changed" | "namespaces"> => ({
  get: (keys) =>
    atOnce(() =>
      keys.map(({ key, namespace }) => {
        const entry = store.entry(namespace, key)
        return entry && copyEntry(entry)
      })
    ),
  scan: ({ namespace, ...range }) => atOnce(() => store.namespaces.get(namespace)?.within(range).map(copyEntry) ?? []),
  changed: ({ after, limit, namespace }) =>
    atOnce(() => {
      const items = store.namespaces.get(namespace)?.since(after, limit).map(copyEntry) ?? []
      return { items, through: reached(items, limit, store.head) }
    }),
  namespaces: ({ after, limit }) =>
    atOnce(() =>
      Array.from(store.namespaces, ([namespace, { living }]) => ({ namespace, keys: living }))
        .filter(({ keys, namespace }) => keys > 0 && (after === undefined || compareUtf8(namespace, after) > 0))
        .sort((a, b) => compareUtf8(a.namespace, b.namespace))
        .slice(0, limit)
    )
})

const smaller = (a: Position, b: Position): Position => Position(Math.min(a, b))

// A page that is full may be followed by more; one that isn't has seen everything there is.
const reached = (
  items: ReadonlyArray<StoredEvent | Kept>,
  limit: number,
  end: Position
): Position => {
  const last = items.at(-1)
  if (last === undefined || items.length < limit) return end
  return "position" in last ? last.position : last.revision
}

/** A memory store as the `Backend`. */
export const layer = (config: Config = {}): Layer.Layer<Backend> => Layer.effect(Backend, make(config))
