/** A projection whose state tells every event, its place and their order apart, and stores to fold it over. */
import { make as makeMemory } from "@persist/backend-memory"
import {
  type BackendShape,
  Catalogue,
  type EventOf,
  makeStore,
  Position,
  Projection,
  Seq,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"

/** Two types that don't commute. */
export const Ledger = Catalogue.make({ Added: Schema.Int, Multiplied: Schema.Int })

/** What happened, as arithmetic. */
export interface Sum {
  readonly total: number
  readonly seen: number
}

/** A large prime, so that totals stay exact. */
const modulus = 1_000_003

/** The state is of every event in its order: no two different histories of a test have the same. */
export const sum = Projection.make({
  name: "sum",
  version: 1,
  seed: (): Sum => ({ total: 7, seen: 0 }),
  events: Ledger,
  step: ({ seen, total }, { data, type }) => ({
    total: (type === "Added" ? total + data : total * data) % modulus,
    seen: seen + 1
  })
})

/** The same in another version. */
export const sumOf = (version: number) =>
  Projection.make({ name: "sum", version, seed: sum.seed, events: Ledger, step: sum.step })

/** One event to append: an even number is added, an odd one multiplies. */
export const input = (n: number) => ({ type: n % 2 === 0 ? "Added" as const : "Multiplied" as const, data: n + 2 })

/** Appends events of these numbers to a stream, as they come. */
export const append = (store: StoreShape, stream: string, ...numbers: ReadonlyArray<number>) =>
  store.log(Ledger).append(stream, numbers.map(input), { expected: "any" })

/** The numbers from 1 to `n`. */
export const upTo = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i + 1)

/** A store in memory, with the backend beneath it. */
export const memoryStore = Effect.flatMap(
  makeMemory(),
  (backend) => Effect.map(makeStore(backend), (store) => ({ backend, store }))
)

/** An event as a log gives it. */
export const eventOf = (stream: string, seq: number, n: number): EventOf<typeof Ledger> => {
  const place = { stream, seq: Seq(seq), position: Position(seq), at: seq, meta: undefined, id: undefined }
  const { data, type } = input(n)
  return type === "Added" ? { ...place, type, data } : { ...place, type, data }
}

/** What a backend was asked for, by verb. */
export interface Counted {
  readonly backend: BackendShape
  /** Events given out by reads since it was last set to 0. */
  events: number
}

/** Counts the events that are read from a backend. */
export const counted = (inner: BackendShape): Counted => {
  const counting: Counted = {
    events: 0,
    backend: {
      ...inner,
      readStream: (range) =>
        Effect.tap(inner.readStream(range), ({ length }) => Effect.sync(() => counting.events += length)),
      readAll: (range) =>
        Effect.tap(inner.readAll(range), ({ items }) => Effect.sync(() => counting.events += items.length))
    }
  }
  return counting
}

/** Runs with the warnings it logs kept in an array, and none printed. */
export const warningsIn = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const warnings: Array<string> = []
    const keep = Logger.make<unknown, void>(({ logLevel, message }) => {
      if (logLevel === "Warn") warnings.push(String(message))
    })
    return Effect.map(Effect.provide(effect, Logger.layer([keep])), (value) => ({ value, warnings }))
  })

/** Puts anything under a snapshot's key, as a failing disk might. */
export const overwrite = (backend: BackendShape, key: string, value: string) =>
  backend.commit([{
    identity: undefined,
    at: 0,
    expect: [],
    append: [],
    truncate: [],
    write: [{ _tag: "Put", namespace: "$snapshot", key, value, meta: undefined }]
  }])

/** The snapshots of a store as they are kept, by key. */
export const entries = (backend: BackendShape) =>
  backend.scan({ namespace: "$snapshot", gte: undefined, lt: undefined, limit: 1000, reverse: false })
