/** Mutants that scan a namespace in the wrong order, range or company. */
import type { BackendShape, KeyRange, StoredEntry, Tombstone } from "@persist/core"
import { compareUtf8, origin, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { keysOf } from "../altered.ts"
import { type Mutant, mutant, placeMutant } from "../mutant.ts"

const asks = (
  name: string,
  bug: string,
  otherwise: (range: KeyRange) => Partial<KeyRange>,
  breaks: ReadonlyArray<string>
): Mutant =>
  mutant(name, bug, (backend) => ({ scan: (range) => backend.scan({ ...range, ...otherwise(range) }) }), breaks)

type Compare = (a: string, b: string) => number

const units: Compare = (a, b) => a < b ? -1 : a > b ? 1 : 0
const locale: Compare = (a, b) => a.localeCompare(b, "en") || units(a, b)

// Scans by another order than that of the bytes: the keys, and their bounds if so said.
const ordered = (backend: BackendShape, compare: Compare, bounds: Compare) => ({
  scan: ({ gte, limit, lt, namespace, reverse }: KeyRange) =>
    Effect.map(keysOf(backend, namespace), (all) => {
      const within = all
        .filter(({ key }) => (gte === undefined || bounds(key, gte) >= 0) && (lt === undefined || bounds(key, lt) < 0))
        .sort((a, b) => compare(a.key, b.key))
      return (reverse ? within.reverse() : within).slice(0, limit)
    })
})

/** Broken in scans. */
export const scans = [
  mutant("by UTF-16", "orders keys by their UTF-16 units", (backend) => ordered(backend, units, compareUtf8), [
    "a scan gives the keys in the order of their UTF-8 bytes",
    "the bounds of a scan compare by UTF-8 bytes as well"
  ]),

  mutant("by locale", "orders keys as a dictionary does", (backend) => ordered(backend, locale, compareUtf8), [
    "a scan gives the keys in the order of their UTF-8 bytes",
    "the bounds of a scan compare by UTF-8 bytes as well"
  ]),

  mutant(
    "bounds by UTF-16",
    "compares the bounds of a scan by their UTF-16 units",
    (backend) => ordered(backend, compareUtf8, units),
    [
      "the bounds of a scan compare by UTF-8 bytes as well"
    ]
  ),

  asks("scans by the thousand", "gives a thousand keys at most, whatever was asked for", ({ limit }) => ({
    limit: Math.min(limit, 1000)
  }), ["a page of a scan is short only where its keys end"]),

  asks("the upper bound is included", "gives the key at the upper bound", ({ lt }) => ({
    lt: lt === undefined ? lt : `${lt}\u0000`
  }), [
    "the bounds of a scan compare by UTF-8 bytes as well",
    "a scan includes its lower bound and excludes its upper one",
    "a scan in reverse gives the last keys first",
    "a limit in reverse gives the last keys of a scan"
  ]),

  asks("the lower bound is excluded", "leaves out the key at the lower bound", ({ gte }) => ({
    gte: gte === undefined || gte === "" ? gte : `${gte}\u0000`
  }), [
    "the bounds of a scan compare by UTF-8 bytes as well",
    "a scan includes its lower bound and excludes its upper one",
    "a limit gives the first keys of a scan",
    "a scan in reverse gives the last keys first"
  ]),

  mutant("a scan one short", "begins a scan in reverse below the last key", (backend) => ({
    scan: (range) =>
      Effect.map(backend.scan(range), (found) => range.reverse && range.lt === undefined ? found.slice(1) : found)
  }), [
    "a scan without bounds gives every key",
    "a limit in reverse gives the last keys of a scan",
    "a page of a scan is short only where its keys end"
  ]),

  mutant("half an entry", "leaves the time out of what a scan gives", (backend) => ({
    scan: (range) =>
      Effect.map(backend.scan(range), (found) => found.map((entry): StoredEntry => ({ ...entry, at: 0 })))
  }), [
    "a scan gives whole entries, the ones that `get` gives"
  ]),

  asks("no limit to a scan", "takes no notice of the limit", () => ({ limit: unbounded }), [
    "a limit gives the first keys of a scan",
    "a limit in reverse gives the last keys of a scan",
    "a scan gives no deleted keys, and counts none towards its limit"
  ]),

  asks("scans never in reverse", "takes no notice of the direction", () => ({ reverse: false }), [
    "a scan without bounds gives every key",
    "a scan in reverse gives the last keys first",
    "a limit in reverse gives the last keys of a scan",
    "a page of a scan is short only where its keys end"
  ]),

  mutant("limits a scan, then reverses it", "takes the first keys and then turns them around", (backend) => ({
    scan: (range) =>
      Effect.map(backend.scan({ ...range, reverse: false }), (found) => range.reverse ? found.toReversed() : found)
  }), [
    "a limit in reverse gives the last keys of a scan"
  ]),

  mutant("namespaces by prefix", "scans every namespace whose name starts the same", (backend) => ({
    scan: (range) =>
      Effect.flatMap(backend.namespaces({ after: undefined, limit: 100 }), (all) =>
        Effect.map(
          Effect.forEach(
            all.filter(({ namespace }) => namespace.startsWith(range.namespace)),
            ({ namespace }) => backend.scan({ ...range, namespace })
          ),
          (found) => found.flat()
        ))
  }), [
    "a scan keeps to its namespace"
  ]),

  mutant("deleted keys count", "counts deleted keys towards the limit", (backend) => ({
    scan: Effect.fnUntraced(function*(range) {
      const { items } = yield* backend.changed({ namespace: range.namespace, after: origin, limit: unbounded })
      const isGone = ({ _tag, key }: StoredEntry | Tombstone) => _tag === "Tombstone" && key >= (range.gte ?? "")
      const gone = items.filter(isGone).map(({ key }) => key)
      const all = yield* backend.scan({ ...range, limit: unbounded })
      const within = range.reverse
        ? []
        : [...all.map(({ key }) => key), ...gone].sort(compareUtf8).slice(0, range.limit)
      return range.reverse ? all.slice(0, range.limit) : all.filter(({ key }) => within.includes(key))
    })
  }), [
    "a scan gives no deleted keys, and counts none towards its limit"
  ]),

  placeMutant("cleared, yet indexed", "scans an index that a clear doesn't empty", () => {
    const cleared = new Map<string, ReadonlyArray<StoredEntry>>()
    return (backend) => ({
      commit: Effect.fnUntraced(function*(batch) {
        for (const op of batch.flatMap(({ write }) => write)) {
          if (op._tag === "Clear") cleared.set(op.namespace, yield* keysOf(backend, op.namespace))
        }
        return yield* backend.commit(batch)
      }),
      scan: (range) =>
        Effect.map(
          backend.scan(range),
          (found) =>
            [
              ...found,
              ...(cleared.get(range.namespace) ?? []).filter(({ key }) => found.every((own) => own.key !== key))
            ]
              .sort((a, b) => compareUtf8(a.key, b.key))
        )
    })
  }, [
    "a scan without bounds gives every key",
    "a scan in reverse gives the last keys first",
    "a limit in reverse gives the last keys of a scan",
    "a cleared namespace scans as empty",
    "a page of a scan is short only where its keys end"
  ]),

  mutant("goes on after the next key", "skips a key where a scan goes on from a name that is no key", (backend) => ({
    scan: Effect.fnUntraced(function*(range) {
      if (range.gte === undefined || range.gte === "") return yield* backend.scan(range)
      const [entry] = yield* backend.get([{ namespace: range.namespace, key: range.gte }])
      if (entry !== undefined) return yield* backend.scan(range)
      return (yield* backend.scan({ ...range, limit: range.limit + 1 })).slice(1)
    })
  }), [
    "a scan includes its lower bound and excludes its upper one",
    "pages of a scan neither skip nor repeat a key that stays, whatever is written between them"
  ])
]
