/** Orders whose events say which of their stream they are, and a processor that notes what it was given. */
import { make as makeMemory } from "@persist/backend-memory"
import { Catalogue, type Kv, makeStore, ReadModel, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The events. */
export const Counted = Catalogue.make({ Counted: Schema.Struct({ n: Schema.Number }) })

/** A store of its own. */
export const newStore = Effect.flatMap(makeMemory(), (backend) => makeStore(backend))

/** Appends `each` events to each of so many streams, in turn: 1, 2, 3… */
export const fill = Effect.fnUntraced(function*(store: StoreShape, streams: number, each: number, from = 1) {
  const log = store.log(Counted)
  for (let n = from; n < from + each; n++) {
    yield* Effect.forEach(
      Array.from({ length: streams }, (_, i) => `order-${i}`),
      // Once, though the store can't always be reached.
      (stream) =>
        Effect.retry(log.append(stream, { type: "Counted", data: { n } }, { expected: n - 1 }), {
          while: (error) => error._tag === "Unavailable"
        }),
      { concurrency: "unbounded" }
    )
  }
})

const Total = Schema.Struct({ count: Schema.Number, by: Schema.String })

/** What the processes keep: how many events each stream has had. */
export const totals = (store: StoreShape): Kv<typeof Total.Type> => store.kv("totals", Total)

/** What the workflow of a stream appends once its timer is due. */
export const Woken = Catalogue.make({ Woken: Schema.Null })

/** How many events each stream has had, in a version's own measure; it throws at those that `refuses` says. */
export const countsOf = (version: number, refuses: (n: number, before: number) => boolean = () => false) =>
  ReadModel.make({
    name: "counts",
    version,
    events: Counted,
    prefix: "order-",
    keys: ({ stream }) => stream,
    seed: { count: 0 },
    value: Schema.Struct({ count: Schema.Int }),
    indexes: { byCount: { on: ["count"] } },
    step: ({ count }, { data: { n } }) => {
      if (refuses(n, count / version)) throw new Error(`${n} comes after ${count / version}`)
      return { count: count + version }
    }
  })

/** The same, of streams whose events must come in their turn. */
export const turnsOf = (version: number) => countsOf(version, (n, before) => n !== before + 1)
