/** What becomes of an event that can't be handled: how often it's tried again, and what then. */
import { Invalid } from "@persist/core"
import * as Fault from "@persist/core/fault"
import * as Cause from "effect/Cause"

/** How a processor meets failures of its own. What the store fails with ends a partition's run, which begins again. */
export interface FailurePolicy {
  /** How often an event is tried again; 5 by default. */
  readonly retries?: number | undefined
  /** Milliseconds before the first of them, twice as many before each next one; 200 by default. */
  readonly delay?: number | undefined
  /** Most milliseconds between two of them; 30,000 by default. */
  readonly longestDelay?: number | undefined
  /**
   * What in the end: `"stop"` (the default) stops the partition where it is, until it's resumed or run by another;
   * `"park"` puts the event aside with its failures, and those of the same key that follow behind it.
   */
  readonly finally?: "stop" | "park" | undefined
  /**
   * Milliseconds after which health says that what is handled hangs, one event of a subscription or what others handle
   * together; 300,000 by default. It isn't ended: what it has done by then nobody knows.
   */
  readonly hangsAfter?: number | undefined
}

/** A policy with every choice made. */
export type Policy = { readonly [K in keyof FailurePolicy]-?: NonNullable<FailurePolicy[K]> }

/** A failed attempt. */
export interface Attempt {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly error: string
}

const defaults: Policy = { retries: 5, delay: 200, longestDelay: 30_000, finally: "stop", hangsAfter: 300_000 }

/** What's wrong with a policy. */
export const policyFault = (policy: FailurePolicy | undefined): Fault.Fault | undefined => {
  if (policy === undefined) return undefined
  const { delay, hangsAfter, longestDelay, retries, finally: end } = policy
  for (const [field, value] of Object.entries({ delay, longestDelay, hangsAfter })) {
    const fault = value === undefined ? undefined : Fault.millisFault(`failure.${field}`, value)
    if (fault !== undefined) return fault
  }
  if (retries !== undefined && !Fault.isCounter(retries)) {
    return new Invalid({ field: "failure.retries", reason: "is no whole number from 0", remedy: "leave it out for 5" })
  }
  return end === undefined || end === "stop" || end === "park"
    ? Fault.optionsFault(policy, Object.keys(defaults))
    : new Invalid({ field: "failure.finally", reason: "is neither of both", remedy: `pass "stop" or "park"` })
}

/** A policy with its defaults. */
export const policyOf = (policy: FailurePolicy = {}): Policy => ({
  retries: policy.retries ?? defaults.retries,
  delay: policy.delay ?? defaults.delay,
  longestDelay: policy.longestDelay ?? defaults.longestDelay,
  finally: policy.finally ?? defaults.finally,
  hangsAfter: policy.hangsAfter ?? defaults.hangsAfter
})

/** Milliseconds to wait after so many failed attempts; `undefined` where there were enough. */
export const delayAfter = ({ delay, longestDelay, retries }: Policy, attempts: number): number | undefined =>
  attempts > retries ? undefined : Math.min(longestDelay, delay * 2 ** (attempts - 1))

/** A failure in words, as it is kept and shown: its own message and what caused it, without the places in the code. */
export const describe = (cause: Cause.Cause<unknown>): string => {
  const [first] = Cause.prettyErrors(cause)
  return first === undefined ? "interrupted" : inWords(first)
}

const inWords = ({ cause, message, name }: Error): string =>
  `${name}: ${message}${cause instanceof Error && cause.message !== message ? ` (${inWords(cause)})` : ""}`
