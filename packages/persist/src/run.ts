/** Runs effects as Promises: what fails rejects as it is, an abort interrupts, and everything else passes untouched. */
import type { Flight, StoreError } from "@persist/core"
import { Invalid, OnFlush, OutcomeUnknown } from "@persist/core"
import { optionsFault } from "@persist/core/fault"
import { advance, isEnded, post } from "@persist/core/posted"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** What every verb may be given. */
export interface Abortable {
  /**
   * Aborting rejects with `signal.reason`, and then nothing happened: a commit that still waited is taken out of the
   * queue. One that is on its way can't be taken back and is never half done: the call rejects with `OutcomeUnknown`,
   * whose `cause` is the reason; a commit that was given an `id` can be asked after with `resolve`. What consists of
   * several commits (catching up, rebuilding, compacting, retaining, saving or deleting snapshots, a decision and its
   * snapshot) rejects so too once one of them happened, and `happened` says how many: all but a decision without an
   * `id` may simply be called again, and go on from there.
   */
  readonly signal?: AbortSignal | undefined
}

/** Runs a verb to its end. Rejects with the error itself, or with the defect; so with what the verb throws. */
export const run = <O, A>(verb: (own: O) => Effect.Effect<A, unknown>, own: O): Promise<A> =>
  new Promise((resolve, reject) => {
    post(verb(own), (exit) => exit._tag === "Success" ? resolve(exit.value) : reject(Cause.squash(exit.cause)))
  })

/** Options as core takes them: without the signal, which is the business of this edge alone. */
export type Own<O> = O extends undefined ? undefined : Omit<O, "signal">

/** Takes options apart into what core takes and the signal. */
export const split = <O extends Abortable | undefined>(options: O): readonly [Own<O>, AbortSignal | undefined] => {
  if (isWithout(options)) return [options, undefined]
  const { signal, ...own } = options ?? {}
  return [own as Own<O>, signal] // just what the type says
}

// Without a signal in them, options are what core takes; what is no object is core's to refuse.
const isWithout = <O extends Abortable | undefined>(options: O | Own<O>): options is Own<O> =>
  typeof options !== "object" || options === null || !("signal" in options)

/** Runs a verb with its options. */
export const call = <O extends Abortable | undefined, A>(
  options: O,
  verb: (own: Own<O>) => Effect.Effect<A, unknown>
): Promise<A> => {
  // Most have none, and each append passes here.
  if (isWithout(options)) return run(verb, options)
  const [own, signal] = split(options)
  return signal === undefined ? run(verb, own) : runUntil(signal, () => verb(own))
}

/** Runs a verb that may find nothing, and most stores answer at once: with its options, `undefined` for nothing. */
export const callOption = async <O extends Abortable | undefined, A>(
  options: O,
  verb: (own: Own<O>) => Effect.Effect<Option.Option<A>, unknown>
): Promise<A | undefined> => {
  if (!isWithout(options)) return Option.getOrUndefined(await call(options, verb))
  const left = advance(verb(options))
  if (!isEnded(left)) return Option.getOrUndefined(await run(() => left, undefined))
  if (left._tag === "Success") return Option.getOrUndefined(left.value)
  throw Cause.squash(left.cause)
}

/** Runs a verb that core gives no options, so that the signal is its only one; `Invalid` for any other. */
export const callPlain = <A>(
  options: Abortable | undefined,
  verb: () => Effect.Effect<A, unknown>
): Promise<A> =>
  call(options, (own) => {
    const fault = plainFault(own)
    return fault === undefined ? verb() : Effect.fail(fault)
  })

/** The refusal of any option but the signal. */
export const plainFault = (own: object | undefined): StoreError | undefined =>
  own === undefined ? undefined : optionsFault(own, ["signal"])

/** Runs an effect until it ends or the signal aborts it, whichever comes first; see {@link Abortable}. */
export const runUntil = <A>(signal: AbortSignal, make: () => Effect.Effect<A, unknown>): Promise<A> => {
  const fault = signalFault(signal)
  if (fault !== undefined) return Promise.reject(fault)
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const flights: Array<Flight> = []
    const fiber = Effect.runFork(Effect.provideService(make(), OnFlush, (flight) => flights.push(flight)))
    const abort = () => fiber.interruptUnsafe()
    signal.addEventListener("abort", abort, { once: true })
    fiber.addObserver((exit) => {
      signal.removeEventListener("abort", abort)
      if (exit._tag === "Success") return resolve(exit.value)
      if (!signal.aborted || !Cause.hasInterruptsOnly(exit.cause)) return reject(Cause.squash(exit.cause))
      reject(leftBehind(flights, signal.reason))
    })
  })
}

/** Why a value can't be a signal, or `undefined` where it can. */
export const signalFault = (signal: unknown): Invalid | undefined =>
  typeof signal === "object" && signal !== null && "aborted" in signal && "addEventListener" in signal
    ? undefined
    : new Invalid({ field: "signal", reason: "is no AbortSignal", remedy: "pass the signal of an AbortController" })

/** What a call that was aborted rejects with: the reason where nothing of it happened, nor may happen yet. */
const leftBehind = (flights: ReadonlyArray<Flight>, cause: unknown): unknown => {
  const happened = flights.filter(({ outcome }) => outcome?._tag === "Success" && outcome.value._tag === "Committed")
  const flying = flights.findLast(({ outcome }) => outcome === undefined)
  // Never the id of one that may not have happened where another did: who hears that it didn't would begin anew.
  const id = (happened.at(-1) ?? flying)?.commit.identity?.id
  if (happened.length === 0) {
    return flying === undefined
      ? cause
      : new OutcomeUnknown({ id, reason: "the call was aborted when its commit was on its way", cause })
  }
  const count = happened.length === 1 ? "one of its commits" : `${happened.length} of its commits`
  const reason = `the call was aborted after ${count} happened${
    flying === undefined ? "" : ", with another on its way"
  }`
  return new OutcomeUnknown({ id, reason, happened: happened.length, cause })
}
