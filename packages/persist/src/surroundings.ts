/** What surrounds whoever waits for what comes: a store, whose closing ends it, and a process, which it keeps alive. */
import { Invalid } from "@persist/core"
import * as Result from "effect/Result"
import type { Scope } from "effect/Scope"
import type { Run } from "./own-end.ts"

/** The surroundings of what follows one store. */
export interface Surroundings {
  /** Closing it ends what waits. */
  readonly scope: Scope
  /** The runs that call handlers, as long as they go on. */
  readonly runs: Set<Run>
  /** Keeps the process alive until the answered function is called. */
  readonly stay: () => () => void
}

const byStore = new WeakMap<object, Surroundings>()

/** Keeps the surroundings of a store, for what follows it without being one of its verbs. */
export const keepSurroundings = (store: object, surroundings: Surroundings): void => {
  byStore.set(store, surroundings)
}

/** The surroundings of a store; `Invalid` for what isn't one that was opened. */
export const surrounding = (store: unknown): Result.Result<Surroundings, Invalid> => {
  const found = typeof store === "object" && store !== null ? byStore.get(store) : undefined
  return found === undefined
    ? Result.fail(new Invalid({ field: "store", reason: "is no store", remedy: "pass what open answers" }))
    : Result.succeed(found)
}

// Timers count their milliseconds in 31 bits.
const longest = 2 ** 31 - 1

/**
 * The surroundings in a store's scope. Where nobody else may write to it (`shared` is false), nothing can come once the
 * process has nothing else to do: then waiting doesn't keep it alive.
 */
export const surroundingsOf = (scope: Scope, shared: boolean): Surroundings => ({
  scope,
  runs: new Set(),
  stay: () => {
    if (!shared) return () => undefined
    const timer = setInterval(() => undefined, longest)
    return () => clearInterval(timer)
  }
})
