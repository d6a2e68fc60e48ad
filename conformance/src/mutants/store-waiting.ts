/** Mutants that lose the turn of those who wait, or go on when they have left. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Semaphore from "effect/Semaphore"
import { appending, logMutant, perStore } from "../store-mutant.ts"

const turns = perStore(() => Semaphore.makeUnsafe(1))

/** Broken in waiting. */
export const storeWaiting = [
  logMutant("keeps the turn", "lets one append in at a time, and no other once one was interrupted", (log, store) => {
    const turn = turns(store)
    return appending(log, undefined, (append) =>
      Effect.andThen(
        turn.take(1),
        Effect.onExit(append, (exit) => Exit.hasInterrupts(exit) ? Effect.void : turn.release(1))
      ))
  }, [
    "a store that closes flushes what it was given, and refuses what comes after",
    "whoever is interrupted takes nobody else's commit with it",
    "nothing in the log is the caller's own object, nor the reader's",
    "every option of a store makes a difference"
  ]),

  logMutant(
    "can't be stopped",
    "goes on with an append whose caller was interrupted",
    (log) =>
      appending(
        log,
        undefined,
        (append) => Effect.flatMap(Effect.forkDetach(append, { startImmediately: true }), (fiber) => Fiber.join(fiber))
      ),
    [
      "a commit that is interrupted while it waits for its flush never happens"
    ]
  )
]
