/** A read model of several keys an event, what it should say, and stores to build it in. */
import { assert } from "@effect/vitest"
import {
  Catalogue,
  type CaughtUp,
  type Event,
  type EventOf,
  type Fenced,
  type Limits,
  listReaders,
  makeStore,
  ReadModel,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as fc from "fast-check"
import { makeFaulty } from "./faulty.ts"

/** The events it is made of. */
export const events = Catalogue.make({ Added: Schema.Int, Removed: Schema.Int })

/** A state: the sum of what was added, and how often. */
export interface Total {
  readonly sum: number
  readonly times: number
}

/** How it is stored. */
export const Total = Schema.Struct({ sum: Schema.Int, times: Schema.Int })

/** Several keys an event, one of them named twice; keys come and go, and some events change nothing. */
export const definition = {
  name: "totals",
  version: 1,
  events,
  value: Total,
  seed: { sum: 0, times: 0 },
  keys: ({ data, stream }: EventOf<typeof events>) => data === 9 ? [] : [stream, "all", `last ${data % 3}`, stream],
  step: (state: Total, { data, type }: EventOf<typeof events>, key: string) =>
    type === "Added"
      ? { sum: state.sum + data, times: state.times + 1 }
      : key === "all"
      ? state
      : undefined
}

/** The read model. */
export const totals = ReadModel.make(definition)

/** What the model says, written down as plainly as can be. */
export const expected = (log: ReadonlyArray<Pick<Event, "type" | "stream" | "data">>): Record<string, Total> => {
  const states = new Map<string, Total>()
  for (const { data, stream, type } of log) {
    const n = Number(data)
    if (n === 9) continue
    for (const key of [stream, "all", `last ${n % 3}`]) {
      const { sum, times } = states.get(key) ?? { sum: 0, times: 0 }
      if (type === "Added") states.set(key, { sum: sum + n, times: times + 1 })
      else if (key !== "all") states.delete(key)
      else if (states.has(key)) states.set(key, { sum, times })
      else states.set(key, { sum: 0, times: 0 })
    }
  }
  return Object.fromEntries(states)
}

/** All its states by key. */
export const statesOf = (store: StoreShape, model = totals) =>
  Effect.map(
    Stream.runCollect(model.kv(store).scan()),
    (entries): Record<string, Total> => Object.fromEntries(entries.map(({ key, value }) => [key, value]))
  )

/** How far its checkpoint is; 0 without one. */
export const positionOf = (store: StoreShape, model = totals) =>
  Effect.map(listReaders(store), (readers) => Number(readers.find(({ name }) => name === model.reader)?.position ?? 0))

/** The events up to a position. */
export const logUpTo = (store: StoreShape, to: number) => Stream.runCollect(store.log().readAll({ to }))

/** At any moment the states are those of the events up to the checkpoint, no more and no less. */
export const assertConsistent = Effect.fnUntraced(function*(store: StoreShape) {
  const position = yield* positionOf(store)
  assert.deepStrictEqual(yield* statesOf(store), expected(yield* logUpTo(store, position)))
})

/** A new store that fails at once where its backend does. */
export const newStore = (limits?: Partial<Limits>) =>
  Effect.gen(function*() {
    const faulty = yield* makeFaulty(limits)
    return { faulty, store: yield* makeStore(faulty.backend, { retries: 0 }) }
  })

/** An event to append. */
export interface Input {
  readonly stream: string
  readonly type: "Added" | "Removed"
  readonly data: number
}

/** Appends an event. */
export const append = (store: StoreShape, { data, stream, type }: Input) =>
  store.log(events).append(stream, { type, data }, { expected: "any" })

/** An event that adds. */
export const added = (data: number, stream = "s"): Input => ({ stream, type: "Added", data })

/** Any few events. */
export const inputs = fc.array(
  fc.record({
    stream: fc.constantFrom("a", "b", "c"),
    type: fc.constantFrom("Added", "Added", "Removed"),
    data: fc.integer({ min: 0, max: 9 })
  }),
  { minLength: 1, maxLength: 25 }
)

/** Whether it came to the head, unfenced. */
export const isCaughtUp = (end: CaughtUp | Fenced): end is CaughtUp => end._tag === "CaughtUp"
