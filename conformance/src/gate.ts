/** Backends whose commits wait at a gate or fall over, so that laws choose what comes between and where it ends. */
import type { BackendError, BackendShape, Commit } from "@persist/core"
import { Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { eachVerb } from "./oddballs.ts"

/** A backend behind a gate, and the handles on the gate. */
export interface Gate {
  readonly backend: BackendShape
  /** Waits until a batch stands at the gate. */
  readonly arrived: Effect.Effect<ReadonlyArray<Commit>>
  /** Lets the next batch through. */
  readonly open: Effect.Effect<void>
}

/** Puts a gate before a backend's commits; everything else passes by it. */
export const gated = Effect.fnUntraced(function*(backend: BackendShape) {
  const arrivals = yield* Queue.unbounded<ReadonlyArray<Commit>>()
  const permits = yield* Queue.unbounded<void>()
  const gate: Gate = {
    backend: {
      ...backend,
      commit: (batch) =>
        Queue.offer(arrivals, batch).pipe(Effect.andThen(Queue.take(permits)), Effect.andThen(backend.commit(batch)))
    },
    arrived: Queue.take(arrivals),
    open: Effect.asVoid(Queue.offer(permits, undefined))
  }
  return gate
})

const gone = new Unavailable({ operation: "any", reason: "its process has died", remedy: "start another" })

/** When a process dies: before a commit reaches the store, or after, when the reply is lost with it. */
export type Moment = "before" | "after"

/**
 * A backend's handle in a process that dies at the n-th commit from now on, counted from 0: from then on nothing that
 * it asks for happens. `died` tells whether it has come to that.
 */
export const mortal = (
  backend: BackendShape,
  nth: number,
  moment: Moment
): { readonly backend: BackendShape; readonly died: () => boolean } => {
  let left = nth
  let dead = false
  const living = eachVerb(backend, (verb) => Effect.suspend(() => dead ? Effect.fail(gone) : verb))
  const die = Effect.suspend(() => {
    dead = true
    return Effect.fail(gone)
  })
  return {
    died: () => dead,
    backend: {
      ...living,
      commit: (batch) =>
        Effect.suspend(() => {
          if (dead || left-- > 0) return living.commit(batch)
          return moment === "before" ? die : Effect.andThen(backend.commit(batch), die)
        })
    }
  }
}

/** Fails the first commits of a backend: each with the next of these errors, before or after it was done. */
export const failingFirst = (
  backend: BackendShape,
  moment: Moment,
  errors: ReadonlyArray<BackendError>
): BackendShape => {
  const left = [...errors]
  return {
    ...backend,
    commit: (batch) =>
      Effect.suspend(() => {
        const error = left.shift()
        if (error === undefined) return backend.commit(batch)
        return moment === "before" ? Effect.fail(error) : Effect.andThen(backend.commit(batch), Effect.fail(error))
      })
  }
}

/** What was asked of a backend. */
export interface Asked {
  readonly verb: string
  readonly limit: number
  readonly gave: number
}

/** Notes each page that is read from a backend. */
export const noted = (backend: BackendShape): { readonly backend: BackendShape; readonly asked: Array<Asked> } => {
  const asked: Array<Asked> = []
  const note = (verb: string, limit: number) => (items: ReadonlyArray<unknown>) =>
    Effect.sync(() => asked.push({ verb, limit, gave: items.length }))
  return {
    asked,
    backend: {
      ...backend,
      readStream: (range) => Effect.tap(backend.readStream(range), note("readStream", range.limit)),
      readAll: (range) => Effect.tap(backend.readAll(range), ({ items }) => note("readAll", range.limit)(items)),
      scan: (range) => Effect.tap(backend.scan(range), note("scan", range.limit))
    }
  }
}
