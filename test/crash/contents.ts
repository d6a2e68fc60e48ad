/** Everything a store holds, read through every verb there is, as what a replay says it must hold is compared to it. */
import type { BackendShape, StoreError } from "@persist/core"
import { origin, Position, Seq, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { type Breach, breach } from "./breach.ts"
import { seenEntry, seenEvent } from "./message.ts"
import type { ExpectedKey, Replay } from "./replay.ts"

const limit = 500

/** Where a store and a replay differ. */
export const differences = (
  backend: BackendShape,
  replay: Replay
): Effect.Effect<ReadonlyArray<Breach>, StoreError> =>
  Effect.map(
    Effect.all([
      headDiffers(backend, replay),
      eventsDiffer(backend, replay),
      streamsDiffer(backend, replay),
      namespacesDiffer(backend, replay),
      ...Array.from(replay.namespaces.keys(), (namespace) => keysDiffer(backend, replay, namespace)),
      ...Array.from(replay.namespaces.keys(), (namespace) => changesDiffer(backend, replay, namespace))
    ]),
    (found) => found.flat()
  )

/** Compares two lists of lines; `kindOf` says what an unexpected line is. */
const compared = (what: string, expected: ReadonlyArray<string>, actual: ReadonlyArray<string>): Array<Breach> => {
  if (expected.length === actual.length && expected.every((line, i) => line === actual[i])) return []
  const [wanted, there] = [new Set(expected), new Set(actual)]
  const missing = expected.filter((line) => !there.has(line)).map((line) => breach("lost", `${what}: ${line} is gone`))
  const more = actual.filter((line) => !wanted.has(line)).map((line) => breach("phantom", `${what}: ${line} is there`))
  return missing.length + more.length > 0
    ? [...missing.slice(0, 5), ...more.slice(0, 5)]
    : [breach("altered", `${what}: not in order, or twice`)]
}

const headDiffers = (backend: BackendShape, replay: Replay) =>
  Effect.map(
    backend.head,
    (head) => head < replay.head ? [breach("lost", `the head is ${head}, and ${replay.head} was given out`)] : []
  )

const lineOf = (seen: ReadonlyArray<string | number>): string => seen.join(" ")

const eventsDiffer = Effect.fnUntraced(function*(backend: BackendShape, replay: Replay) {
  const actual: Array<string> = []
  const end = yield* backend.head
  for (let after = origin; after < end;) {
    const range = { after, to: Position(unbounded), prefix: "", types: undefined, limit, reverse: false }
    const { items, through } = yield* backend.readAll(range)
    actual.push(...items.map((event) => lineOf(seenEvent(event))))
    after = through
  }
  const expected = replay.history.filter(({ seq, stream }) => seq >= (replay.streams.get(stream)?.first ?? 1))
  return compared("the log", expected.map((event) => lineOf(seenEvent(event))), actual)
})

const streamsDiffer = Effect.fnUntraced(function*(backend: BackendShape, replay: Replay) {
  const told = yield* backend.streams({ prefix: "", after: undefined, limit })
  const breaches = compared(
    "the streams",
    Array.from(replay.streams, ([stream, { first, last }]) => lineOf([stream, first, last])).sort(),
    told.map(({ first, last, stream }) => lineOf([stream, first, last])).sort()
  )
  for (const [stream, { events }] of replay.streams) {
    const read = yield* backend.readStream({ stream, from: Seq(1), to: Seq(unbounded), limit: 100_000, reverse: false })
    const [expected, actual] = [events, read].map((all) => all.map((event) => lineOf(seenEvent(event))))
    breaches.push(...compared(`stream ${stream}`, expected ?? [], actual ?? []))
  }
  return breaches
})

const namespacesDiffer = (backend: BackendShape, replay: Replay) =>
  Effect.map(backend.namespaces({ after: undefined, limit }), (told) =>
    compared(
      "the namespaces",
      Array.from(replay.namespaces.keys(), (name) => lineOf([name, replay.living(name).length]))
        .filter((line) => !line.endsWith(" 0")).sort(),
      told.map(({ keys, namespace }) => lineOf([namespace, keys])).sort()
    ))

const keysDiffer = (backend: BackendShape, replay: Replay, namespace: string) =>
  Effect.map(
    backend.scan({ namespace, gte: undefined, lt: undefined, limit: 100_000, reverse: false }),
    (entries) =>
      compared(
        `keys of ${namespace}`,
        replay.living(namespace).map((entry) => lineOf(seenEntry(entry))),
        entries.map((entry) => lineOf(seenEntry(entry)))
      )
  )

const changesDiffer = (backend: BackendShape, replay: Replay, namespace: string) =>
  Effect.map(backend.changed({ namespace, after: origin, limit: 100_000 }), ({ items }) => {
    const keys = replay.namespaces.get(namespace) ?? new Map<string, ExpectedKey>()
    const fits = (key: string, revision: number) => {
      const { earliest = 0, entry } = keys.get(key) ?? {}
      return entry !== undefined && revision >= earliest && revision <= entry.revision
    }
    const rising = items.every(({ revision }, i) => i === 0 || revision > (items[i - 1]?.revision ?? 0))
    return [
      ...rising ? [] : [breach("altered", `the changes of ${namespace} are out of order`)],
      ...compared(
        `changes of ${namespace}`,
        Array.from(keys.values(), ({ entry }) => lineOf([entry.key, entry._tag])).sort(),
        items.map(({ _tag, key, revision }) => lineOf([key, fits(key, revision) ? _tag : `at ${revision}`])).sort()
      )
    ]
  })
