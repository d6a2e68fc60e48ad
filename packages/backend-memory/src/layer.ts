/** The protocol over a `Memory`: each verb is one synchronous step. */
import type { BackendShape, Limits, Outcome, StoredEntry, StoredEvent, Tombstone } from "@persist/core"
import { Backend, compareUtf8, defaultLimits, makeSignal, Position, Seq } from "@persist/core"
import { atOnce } from "@persist/core/posted"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
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
      const within = events.slice(Math.max(0, from - first), Math.max(0, to - first + 1))
      return (reverse ? within.slice(-limit).reverse() : within.slice(0, limit)).map(copyEvent)
    }),
  readAll: (range) =>
    atOnce(() => {
      const items = store.range(range)
      return { items, through: reached(items, range.limit, smaller(range.to, store.head)) }
    }),
  streams: ({ after, limit, prefix }) =>
    atOnce(() =>
      [...store.streams.keys()]
        .filter((name) => name.startsWith(prefix) && (after === undefined || compareUtf8(name, after) > 0))
        .sort(compareUtf8)
        .slice(0, limit)
        .map((stream) => {
          const last = store.lastSeq(stream)
          return { stream, first: store.streams.get(stream)?.events[0]?.seq ?? Seq(last + 1), last }
        })
    )
})

const kvReads = (store: Memory): Pick<BackendShape, "get" | "scan" | "changed" | "namespaces"> => ({
  get: (keys) =>
    atOnce(() =>
      keys.map(({ key, namespace }) => {
        const entry = store.entry(namespace, key)
        return entry && copyEntry(entry)
      })
    ),
  scan: ({ gte, limit, lt, namespace, reverse }) =>
    atOnce(() => {
      // Few of many keys lie within most bounds, so they are chosen before they are sorted.
      const within = store.entries(namespace).filter(({ key }) =>
        (gte === undefined || compareUtf8(key, gte) >= 0) && (lt === undefined || compareUtf8(key, lt) < 0)
      ).sort((a, b) => compareUtf8(a.key, b.key))
      return (reverse ? within.reverse() : within).slice(0, limit).map(copyEntry)
    }),
  changed: ({ after, limit, namespace }) =>
    atOnce(() => {
      const since = [...store.namespaces.get(namespace)?.values() ?? []].filter((entry) => entry.revision > after)
      const items = since.slice(0, limit).map(copyEntry)
      return { items, through: reached(items, limit, store.head) }
    }),
  namespaces: ({ after, limit }) =>
    atOnce(() =>
      [...store.namespaces.keys()]
        .filter((name) => after === undefined || compareUtf8(name, after) > 0)
        .sort(compareUtf8)
        .map((namespace) => ({ namespace, keys: store.entries(namespace).length }))
        .filter(({ keys }) => keys > 0)
        .slice(0, limit)
    )
})

const smaller = (a: Position, b: Position): Position => Position(Math.min(a, b))

// A page that is full may be followed by more; one that isn't has seen everything there is.
const reached = (
  items: ReadonlyArray<StoredEvent | StoredEntry | Tombstone>,
  limit: number,
  end: Position
): Position => {
  const last = items.at(-1)
  if (last === undefined || items.length < limit) return end
  return "position" in last ? last.position : last.revision
}

/** A memory store as the `Backend`. */
export const layer = (config: Config = {}): Layer.Layer<Backend> => Layer.effect(Backend, make(config))
