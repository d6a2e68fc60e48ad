/** Work that goes on until it's stopped: who follows the log on the store's behalf, and how they are told to end. */
import type { Fenced } from "@persist/core"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import { endFor, OwnRun, type Run } from "./own-end.ts"
import { signalFault } from "./run.ts"
import type { Surroundings } from "./surroundings.ts"

/** Something that follows the log until it's stopped, fenced, or fails. Closing the store stops it. */
export interface Running extends AsyncDisposable {
  /**
   * Resolves once it has ended: with `undefined` where it was stopped, with `Fenced` where somebody else runs under the
   * same name and got further. Rejects with what it failed with, or the signal's reason: handle that, since a rejection
   * nobody handles ends the process.
   */
  readonly ended: Promise<Fenced | undefined>
  /**
   * Stops it after what it has in hand, and saves how far it came. Stopping again changes nothing. Its own handler may
   * call it, but not wait for it, nor for `ended` or the store's `close`, which wait for the handler: where that can be
   * seen (before the handler's first `await`) it rejects with `Invalid`, elsewhere both wait for ever.
   */
  readonly stop: () => Promise<void>
}

/** What a function of the caller's threw or rejected with, on its way back to the caller. */
export class Thrown {
  readonly cause: unknown

  constructor(cause: unknown) {
    this.cause = cause
  }
}

/** Asks a function of the caller's, and waits for its answer; fails with what it throws or rejects with, `Thrown`. */
export const asking = <A>(ask: () => A | Promise<A>): Effect.Effect<A, Thrown> => Effect.suspend(() => answerTo(ask))

/**
 * Asks it in the call itself: the effect is the answer, or waits for it, and must be run, since else nobody hears of
 * what the function rejects with. Fails as {@link asking}.
 */
export const answerTo = <A>(ask: () => A | Promise<A>): Effect.Effect<A, Thrown> => {
  try {
    const answer = ask()
    return Predicate.isPromise(answer)
      ? Effect.tryPromise({ try: () => answer, catch: (cause) => new Thrown(cause) })
      : Effect.succeed(answer)
  } catch (cause) {
    return Effect.fail(new Thrown(cause))
  }
}

/** Starts an effect that never ends by itself. */
export const start = (
  effect: Effect.Effect<Fenced, unknown>,
  signal: AbortSignal | undefined,
  { runs, scope, stay }: Surroundings
): Running => {
  const fault = signal === undefined ? undefined : signalFault(signal)
  if (fault !== undefined) return running(Promise.reject(fault), () => undefined)
  if (signal?.aborted === true) return running(Promise.reject(signal.reason), () => undefined)
  const leave = stay()
  const run: Run = Symbol("run")
  const fiber = Fiber.runIn(Effect.runFork(Effect.provideService(effect, OwnRun, run)), scope)
  runs.add(run)
  const interrupt = () => fiber.interruptUnsafe()
  signal?.addEventListener("abort", interrupt, { once: true })
  const ended = new Promise<Fenced | undefined>((resolve, reject) => {
    fiber.addObserver((exit) => {
      leave()
      runs.delete(run)
      signal?.removeEventListener("abort", interrupt)
      if (exit._tag === "Success") resolve(exit.value)
      else if (!Cause.hasInterruptsOnly(exit.cause)) reject(reasonOf(exit.cause))
      else if (signal?.aborted === true) reject(signal.reason)
      else resolve(undefined)
    })
  })
  return running(ended, interrupt, (caller) => caller === run)
}

const reasonOf = (cause: Cause.Cause<unknown>): unknown => {
  const error = Cause.squash(cause)
  return error instanceof Thrown ? error.cause : error
}

const running = (
  ended: Running["ended"],
  interrupt: () => void,
  isOwn: (run: Run) => boolean = () => false
): Running => {
  const stop = () => {
    interrupt()
    return endFor(isOwn, "stop", ended.then(() => undefined, () => undefined))
  }
  return { ended, stop, [Symbol.asyncDispose]: stop }
}
