/** A read model that counts, to be varied, and stores to build it in. */
import {
  Catalogue,
  type Limits,
  makeStore,
  readCheckpoint,
  ReadModel,
  type ReadModelDefinition,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { makeFaulty } from "./faulty.ts"

/** The events it counts. */
export const events = Catalogue.make({ N: Schema.Int, M: Schema.Int })

type Definition<A> = ReadModelDefinition<typeof events, A>

/** Counts events by what they hold. */
export const countOf = (change: Partial<Definition<number>> = {}) =>
  ReadModel.make<typeof events, number>({
    name: "counts",
    version: 1,
    events,
    value: Schema.Int,
    seed: 0,
    keys: ({ data }) => `${data}`,
    step: (state) => state + 1,
    ...change
  })

/** A new store that fails at once where its backend does. */
export const newStore = (limits?: Partial<Limits>) =>
  Effect.gen(function*() {
    const faulty = yield* makeFaulty(limits)
    return { faulty, store: yield* makeStore(faulty.backend, { retries: 0 }) }
  })

/** Appends numbers to the one stream. */
export const append = (store: StoreShape, ...data: ReadonlyArray<number>) =>
  store.log(events).append("s", data.map((n) => ({ type: "N", data: n }) as const), { expected: "any" })

/** The numbers from 1. */
export const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

/** All states by key. */
export const statesOf = (store: StoreShape, namespace = "counts@1") =>
  Effect.map(
    Stream.runCollect(store.kv(namespace).scan()),
    (entries): Record<string, unknown> => Object.fromEntries(entries.map(({ key, value }) => [key, value]))
  )

/** How far its checkpoint is; `undefined` without one. */
export const positionOf = (store: StoreShape) =>
  Effect.map(
    readCheckpoint(store, countOf().reader),
    (found) => Option.isSome(found) ? Number(found.value.position) : undefined
  )

/** The states where each of these was counted as often. */
export const each = (keys: ReadonlyArray<number>, count = 1) => Object.fromEntries(keys.map((key) => [`${key}`, count]))
