/** Wrappers that inject faults: verbs that fail before they do anything, and replies that are lost after they did. */
import type { BackendShape, Commit, Committed, Outcome } from "@persist/core"
import { OutcomeUnknown, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Wrapper } from "./fixture.ts"
import { eachVerb } from "./oddballs.ts"

/** What befalls a verb: nothing, a failure before it does anything, or the loss of its reply after it did. */
export type Fault = "none" | "before" | "after"

const down = new Unavailable({ operation: "injected", reason: "a fault was injected", remedy: "try again" })

/** What befalls each verb, asked before it begins. */
export type NextFault = (verb: "commit" | "read") => Fault

/**
 * Asks `next` before each verb what befalls it. Before: `Unavailable`, and nothing happened. After: a read fails with
 * `Unavailable`, a commit with `OutcomeUnknown`, though it was done.
 */
export const withFaults = (backend: BackendShape, next: NextFault): BackendShape => ({
  ...eachVerb(backend, (verb) => Effect.suspend(() => next("read") === "none" ? verb : Effect.fail(down))),
  about: { ...backend.about, ambiguous: true },
  commit: (batch) =>
    Effect.suspend(() => {
      const fault = next("commit")
      if (fault === "before") return Effect.fail(down)
      const reply = backend.commit(batch)
      return fault === "none" ? reply : Effect.andThen(
        reply,
        Effect.fail(new OutcomeUnknown({ id: batch[0].identity?.id, reason: "the reply was lost" }))
      )
    })
})

/** The same as a wrapper. */
export const faulty = (next: NextFault): Wrapper => ({
  name: "faulty",
  wrap: (backend) => Effect.succeed(withFaults(backend, next))
})

/**
 * Loses the reply to every commit that carries no id of its own, and recovers as a client must: it gives the commit an
 * id, asks `resolve` for it and sends it again. Every law holds through it, because a commit happens once under one id.
 * A batch of several keeps its reply: sent again, one part of it could meet what a later one did.
 */
export const lostReplies: Wrapper = {
  name: "lost replies",
  wrap: (backend) =>
    Effect.sync(() => {
      let count = 0
      const unique = `lost ${crypto.randomUUID()}`
      return {
        ...backend,
        commit: (batch) => {
          const [commit] = batch
          if (batch.length > 1 || commit.identity !== undefined) return backend.commit(batch)
          const id = `${unique} ${++count}`
          return Effect.map(recovered(backend, { ...commit, identity: { id, digest: id } }, id), (outcome) => [outcome])
        }
      }
    })
}

const recovered = Effect.fnUntraced(function*(backend: BackendShape, commit: Commit, id: string) {
  yield* backend.commit([commit])
  const found = yield* backend.resolve(id)
  // The two ways to recover must agree, so both are taken.
  const [again] = yield* backend.commit([commit])
  return first(Option.getOrElse(found, (): Outcome => again), again)
})

const first = (resolved: Outcome, again: Outcome): Outcome =>
  resolved._tag === "Committed" && again._tag === "Committed" && again.repeated
    ? { ...resolved, repeated: false } satisfies Committed
    : again
