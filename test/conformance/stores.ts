/** The stores that prove the kit: memory as it is, and memory that its places keep, as if it were a shared disk. */
import { make } from "@persist/backend-memory"
import { type Fixture, fromOpen } from "@persist/conformance"
import type { BackendShape } from "@persist/core"
import { defaultLimits, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"

// Small enough for the limits themselves to be tried hundreds of times.
const limits = { ...defaultLimits, payloadBytes: 2 ** 21, commitEvents: 1000, commitBytes: 2 ** 22 }

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
