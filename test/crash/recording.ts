/** A backend that tells the parent of every commit before it's asked for, of every answer, and of what was read. */
import type { BackendShape, Outcome } from "@persist/core"
import { isStoreError } from "@persist/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { type Answer, type Message, seenEntry, seenEvent, tell } from "./message.ts"

let batches = 0

/**
 * Records a backend. It says of itself that its replies can be lost, so that core gives every commit an id, by which
 * the parent can ask what became of it. `say` is told instead of a parent where there is none.
 */
export const recorded = (backend: BackendShape, say: Say = tell): BackendShape => ({
  ...backend,
  about: { ...backend.about, ambiguous: true },
  commit: (commits) =>
    Effect.suspend(() => {
      const batch = ++batches
      say({ _tag: "Sent", batch, commits })
      return Effect.onExit(backend.commit(commits), (exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit)) say({ _tag: "Answered", batch, answers: exit.value.map(answerOf) })
          else say({ _tag: "Failed", batch, ...failureOf(exit.cause) })
        }))
    }),
  resolve: (id) =>
    observed(
      say,
      backend.resolve(id),
      (found) => say({ _tag: "Resolved", id, committed: Option.getOrUndefined(found) })
    ),
  readAll: (range) =>
    observed(say, backend.readAll(range), ({ items, through }) => {
      // Only of a page without filters is it known what it should hold.
      if (range.reverse || range.prefix !== "" || range.types !== undefined) return
      say({ _tag: "Page", after: range.after, through, events: items.map(seenEvent) })
    }),
  get: (keys) =>
    observed(say, backend.get(keys), (found) => {
      const entries = found.flatMap((entry) => entry === undefined ? [] : [seenEntry(entry)])
      if (entries.length > 0) say({ _tag: "Entries", entries })
    })
})

type Say = (message: Message) => void

const observed = <A, E>(say: Say, read: Effect.Effect<A, E>, use: (read: A) => void): Effect.Effect<A, E> =>
  Effect.onExit(read, (exit) =>
    Effect.sync(() => {
      if (Exit.isSuccess(exit)) use(exit.value)
      // A reader that is told to stop in the middle of a read has met no trouble.
      else if (!Cause.hasInterruptsOnly(exit.cause)) say({ _tag: "Trouble", ...failureOf(exit.cause) })
    }))

const answerOf = (outcome: Outcome): Answer => outcome._tag === "Refused" ? { _tag: "Refused" } : outcome

/** A failure as the parent is told it. */
export const failureOf = (cause: Cause.Cause<unknown>): { readonly error: string; readonly message: string } => {
  const error = Cause.squash(cause)
  return isStoreError(error)
    ? { error: error._tag, message: error.message }
    : { error: "Died", message: error instanceof Error ? String(error.stack) : String(error) }
}
