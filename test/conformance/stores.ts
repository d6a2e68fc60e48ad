/** The stores that prove the kit: memory as it is, and memory that its places keep, as if it were a shared disk. */
import { make } from "@persist/backend-memory"
import { type Fixture, fromOpen, type Place } from "@persist/conformance"
import type { BackendShape, Outcome } from "@persist/core"
import { defaultLimits, origin, Unavailable } from "@persist/core"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

// Small enough for the limits themselves to be tried hundreds of times.
const limits = { ...defaultLimits, payloadBytes: 2 ** 21, commitEvents: 1500, commitBytes: 2 ** 22 }

/** A store that dies with its handle and belongs to it alone. */
export const memory: Fixture = fromOpen("memory", make({ limits }))

const cut = new Unavailable({ operation: "commit", reason: "the flush failed", remedy: "try again" })

/** A store that outlives its handles, is shared by them, and can be broken. */
export const kept: Fixture = {
  name: "kept",
  place: Effect.map(make({ limits }), (store) => {
    let broken = false
    const backend: BackendShape = {
      ...store,
      about: { ...store.about, name: "kept", durability: "disk", shared: true, ambiguous: true },
      commit: (batch) =>
        Effect.suspend(() => {
          const fails = broken
          broken = false
          return fails ? Effect.fail(cut) : store.commit(batch)
        })
    }
    return {
      open: Effect.succeed(backend),
      breakNextCommit: Effect.sync(() => {
        broken = true
      })
    }
  })
}

/** A store that does nothing: it takes every commit, answers every question emptily and never fails. */
export const idle: Fixture = {
  name: "idle",
  place: Effect.map(make({ limits }), ({ about }): Place => {
    const empty = Effect.succeed([])
    const page = Effect.succeed({ items: [], through: origin })
    const done: Outcome = { _tag: "Committed", position: origin, appended: [], revisions: [], repeated: false }
    const open: BackendShape = {
      about: { ...about, name: "", durability: "disk", shared: true, ambiguous: true, incarnation: "" },
      commit: (batch) => Effect.succeed(NonEmpty.map(batch, () => done)),
      resolve: () => Effect.succeed(Option.none()),
      readStream: () => empty,
      readAll: () => page,
      streams: () => empty,
      get: (keys) => Effect.succeed(keys.map(() => undefined)),
      scan: () => empty,
      changed: () => page,
      namespaces: () => empty,
      head: Effect.succeed(origin),
      changes: Stream.never
    }
    return { open: Effect.succeed(open), breakNextCommit: Effect.void }
  })
}
