/** Which events of which streams may go: a retention rule as data, and what can be wrong with one. */
import { Invalid } from "./error.ts"
import * as Fault from "./fault.ts"
import type { PositionInput, SeqInput } from "./sequence.ts"

/** A place that events lie before: a seq of each stream, a position, or a time in milliseconds since 1970. */
export type Before =
  | { readonly seq: SeqInput }
  | { readonly position: PositionInput }
  | { readonly at: number }

/**
 * What may go of the streams whose name starts with `prefix`: events from the front of each, as far as every one of
 * them is let go by one of the limits. At least one limit is given.
 */
export interface RetentionRule {
  /** Which streams; `""` for all. */
  readonly prefix: string
  /** Events older than so many milliseconds: by their own `at`, and the clock's time when the run begins. */
  readonly maxAge?: number | undefined
  /** All but so many of a stream's last events. */
  readonly maxCount?: number | undefined
  /** Events before this place; the one at it stays. */
  readonly before?: Before | undefined
}

/** The options that make a rule. */
export const ruleKeys = ["prefix", "maxAge", "maxCount", "before"] as const

/** What's wrong with a rule, beside options that nobody knows. */
export const ruleFault = (rule: RetentionRule, known: ReadonlyArray<string>): Fault.Fault | undefined => {
  const fault = Fault.optionsFault(rule, known)
  if (fault !== undefined) return fault
  if (rule === undefined || typeof rule.prefix !== "string") {
    return invalid("prefix", "is missing", "pass the beginning of the streams' names, or \"\" for all of them")
  }
  const { before, maxAge, maxCount, prefix } = rule
  if (maxAge === undefined && maxCount === undefined && before === undefined) {
    return invalid("rule", "it has no limit, so nothing would ever go", "pass maxAge, maxCount or before")
  }
  return Fault.textFault("prefix", prefix) ?? limitFault("maxAge", maxAge, "pass whole milliseconds") ??
    limitFault("maxCount", maxCount, "pass how many events stay, or delete the streams") ?? beforeFault(before)
}

const invalid = (field: string, reason: string, remedy: string): Invalid => new Invalid({ field, reason, remedy })

const limitFault = (field: string, limit: unknown, remedy: string): Fault.Fault | undefined =>
  limit === undefined || (Fault.isCounter(limit) && limit > 0)
    ? undefined
    : invalid(field, "is no whole number from 1", remedy)

const beforeFault = (before: unknown): Fault.Fault | undefined => {
  if (before === undefined) return undefined
  const [place, ...more] = before !== null && typeof before === "object" ? Object.entries(before) : []
  if (place === undefined || more.length > 0) {
    return invalid("before", "is no place", "pass one of { seq }, { position } and { at }")
  }
  const [kind, value] = place
  if (kind === "at") return Fault.timeFault("before.at", value)
  return kind === "seq" || kind === "position"
    ? Fault.counterFault(`before.${kind}`, value)
    : invalid(`before.${kind}`, "is no place", "pass one of { seq }, { position } and { at }")
}
