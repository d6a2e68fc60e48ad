/** A backend whose commits wait to be let through and can be told to fail, so that tests choose every interleaving. */
import { make as makeMemory } from "@persist/backend-memory"
import {
  type BackendError,
  type BackendShape,
  type Commit,
  type Log,
  makeStore,
  type StoreOptions
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"

/** A gated backend and the handles on its gate. */
export interface Gate {
  readonly backend: BackendShape
  /** The batches that reached the backend, in order, each as its commits. */
  readonly batches: Array<ReadonlyArray<Commit>>
  /** Waits until a batch stands at the gate. */
  readonly arrived: Effect.Effect<ReadonlyArray<Commit>>
  /** Lets the batch at the gate through; with errors it fails before or after having happened. */
  readonly open: (fault?: { readonly before?: BackendError; readonly after?: BackendError }) => Effect.Effect<void>
}

/** Makes a gate over a new memory store. */
export const makeGate: Effect.Effect<Gate> = Effect.gen(function*() {
  const memory = yield* makeMemory()
  const arrivals = yield* Queue.unbounded<ReadonlyArray<Commit>>()
  const permits = yield* Queue.unbounded<{ readonly before?: BackendError; readonly after?: BackendError }>()
  const batches: Array<ReadonlyArray<Commit>> = []
  return {
    backend: {
      ...memory,
      commit: (batch) =>
        Effect.gen(function*() {
          batches.push(batch)
          yield* Queue.offer(arrivals, batch)
          const { after, before } = yield* Queue.take(permits)
          if (before !== undefined) return yield* Effect.fail(before)
          const outcomes = yield* memory.commit(batch)
          return after === undefined ? outcomes : yield* Effect.fail(after)
        })
    },
    batches,
    arrived: Queue.take(arrivals),
    open: (fault = {}) => Effect.asVoid(Queue.offer(permits, fault))
  }
})

/** A store over a gate of its own. */
export const gatedStore = (options?: StoreOptions) =>
  Effect.gen(function*() {
    const gate = yield* makeGate
    const store = yield* makeStore(gate.backend, options)
    return { gate, store, log: store.log() }
  })

/** Appends an event to a stream that may be anything. */
export const appendOne = (log: Log<unknown, { type: string; data: number }>, stream: string, data = 0) =>
  log.append(stream, { type: "Counted", data }, { expected: "any" })

/** What is forked so has done what it can at once. */
export const now = { startImmediately: true } as const
