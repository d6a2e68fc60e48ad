/** Whether what is derived from a log is what the log says: a read model at its checkpoint, states by snapshots. */
import type { StoredEvent, StoreError, StoreShape } from "@persist/core"
import { listReaders, load, project, SnapshotPolicy } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { isDeepStrictEqual } from "node:util"
import { type Breach, breach } from "./breach.ts"
import { add, balance, type Claim, longStreams, type Sum, sums } from "./claims.ts"
import type { Replay } from "./replay.ts"

const none: Sum = { amount: 0, events: 0 }

const sumOf = (events: ReadonlyArray<StoredEvent>): Sum =>
  events.reduce((sum, { data }) => {
    const claim: Claim = JSON.parse(String(data))
    return add(sum, { data: claim })
  }, none)

/** The read model's states against the events at or below its checkpoint, each of which must count once. */
const modelBreaches = Effect.fnUntraced(function*(store: StoreShape, { history }: Replay) {
  const reader = (yield* listReaders(store)).find(({ name }) => name === sums.reader)
  const position = reader?.position ?? 0
  const own = history.filter((event) => event.stream.startsWith("m/") && event.position <= position)
  const streams = [...new Set(own.map(({ stream }) => stream))]
  const expected = new Map(streams.map((name) => [name, sumOf(own.filter(({ stream }) => stream === name))]))
  if (own.length > 0) expected.set("all", sumOf(own))
  const entries = yield* Stream.runCollect(sums.kv(store).scan())
  const actual = new Map(entries.map(({ key, value }) => [key, value]))
  return isDeepStrictEqual(actual, expected) ? [] : [
    breach("derived", `at ${position} the read model says ${show(actual)}, and the log ${show(expected)}`)
  ]
})

const show = (states: ReadonlyMap<string, Sum>): string => JSON.stringify([...states])

/** The state of a compacted stream against all the events that it ever had. */
const snapshotBreaches = Effect.fnUntraced(function*(store: StoreShape, { history, streams }: Replay, stream: string) {
  const expected = sumOf(history.filter((event) => event.stream === stream))
  const loaded = yield* load(store, balance, { stream, snapshots: SnapshotPolicy.never })
  const breaches: Array<Breach> = []
  if (!isDeepStrictEqual(loaded.state, expected)) {
    breaches.push(breach("derived", `${stream} loads as ${JSON.stringify(loaded.state)}: ${JSON.stringify(expected)}`))
  }
  // Without its snapshots the answer is the same, where all the events are still there.
  if ((streams.get(stream)?.first ?? 1) > 1) return breaches
  const projected = yield* project(store, balance, { stream })
  if (!isDeepStrictEqual(projected.state, expected)) breaches.push(breach("derived", `${stream} replays otherwise`))
  return breaches
})

/** What is wrong with what is derived. */
export const derivedBreaches = (
  store: StoreShape,
  replay: Replay
): Effect.Effect<ReadonlyArray<Breach>, StoreError> =>
  Effect.map(
    Effect.all([
      modelBreaches(store, replay),
      ...longStreams.map((stream) => snapshotBreaches(store, replay, stream))
    ]),
    (found) => found.flat()
  )
