/** What laws of projections fold: events whose order shows in the state, and states that JSON alone can't carry. */
import type { EventOf, StoreShape } from "@persist/core"
import { anyEvents, Catalogue, Projection } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { count } from "./store-given.ts"

/** Amounts that come in and go out. */
export const Ledger = Catalogue.make({ In: Schema.Finite, Out: Schema.Finite })

/** One event of a ledger. */
export type LedgerEvent = EventOf<typeof Ledger>

const History = Schema.Struct({
  seen: Schema.Array(Schema.String),
  sums: Schema.ReadonlyMap(Schema.String, Schema.Finite)
})

/** What a fold of a ledger comes to: every event in the order in which it was folded, and a sum for each stream. */
export interface History extends Schema.Schema.Type<typeof History> {}

/** Writes down everything, so that no event can be folded in another order, twice or not at all without being seen. */
export const history = Projection.make({
  name: "history",
  version: 1,
  events: Ledger,
  seed: (): History => ({ seen: [], sums: new Map() }),
  step: ({ seen, sums }, { data, seq, stream, type }) => ({
    seen: [...seen, `${stream} ${seq} ${type} ${data}`],
    sums: new Map(sums).set(stream, (sums.get(stream) ?? 0) + (type === "In" ? data : -data))
  }),
  state: History
})

/** The same fold under a new version, which counts everything twice. */
export const doubled = Projection.make({
  name: "history",
  version: 2,
  events: Ledger,
  seed: (): History => ({ seen: [], sums: new Map() }),
  step: (state, event) => {
    const { seen, sums } = history.step(state, event)
    return { seen: [...seen, "twice"], sums }
  },
  state: History
})

/** The last number, in a state that JSON carries. */
export const latest = Projection.make({
  name: "latest",
  version: 1,
  events: anyEvents,
  seed: { last: null as unknown, many: 0 }, // whatever the last event holds
  step: ({ many }, { data }) => ({ last: data, many: many + 1 })
})

/** The same in one text, for many events. */
export const trail = Projection.make({
  name: "trail",
  version: 1,
  events: Ledger,
  seed: "",
  step: (seen, { data, seq, stream }) => `${seen} ${stream}${seq}:${data}`
})

/** Appends as many events to streams of a ledger in turn, each with a time of its own, one commit each. */
export const book = Effect.fnUntraced(function*(store: StoreShape, streams: ReadonlyArray<string>, many: number) {
  const log = store.log(Ledger)
  yield* Effect.forEach(
    count(many),
    (n) =>
      log.append(streams[n % streams.length] ?? "s", { type: n % 4 === 0 ? "Out" : "In", data: n, at: n * 10 }, {
        expected: "any"
      }),
    { concurrency: "unbounded" }
  )
})

/** Books many events in one stream, in few commits where the store can. */
export const bookLong = (store: StoreShape, stream: string, many: number) => {
  const { ops } = store.log(Ledger)
  const each = store.about.lacks.has("atomic") ? 1 : 500
  const parts = Array.from(
    { length: Math.ceil(many / each) },
    (_, n) => count(Math.min(each, many - n * each), n * each + 1)
  )
  return Effect.forEach(
    parts,
    (part) =>
      store.commit([
        ops.append(stream, part.map((n) => ({ type: n % 4 === 0 ? "Out" : "In", data: n, at: n * 10 })), {
          expected: "any"
        })
      ]),
    { concurrency: "unbounded", discard: true }
  )
}

/** Every event of a ledger there is, in the total order. */
export const booked = (store: StoreShape, stream?: string): Effect.Effect<ReadonlyArray<LedgerEvent>, unknown> =>
  Stream.runCollect(stream === undefined ? store.log(Ledger).readAll() : store.log(Ledger).read(stream))
