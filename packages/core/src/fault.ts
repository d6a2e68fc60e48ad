/** What can be wrong with a call, each check answering the error to fail with, or `undefined`. */
import type { Ability } from "./backend.ts"
import { Invalid, type LimitExceeded, Unsupported } from "./error.ts"

/** Why a call can't be carried out; nothing has happened. */
export type Fault = Invalid | LimitExceeded | Unsupported

/** What an append may expect of its stream: a seq (0: must be new), that it exists, or nothing. */
export type ExpectedSeq = number | "any" | "exists"

/** What a write may expect of its key: a revision, that it's absent, that it exists, or nothing. */
export type ExpectedRevision = number | "absent" | "any" | "exists"

const invalid = (field: string, reason: string, remedy: string): Invalid => new Invalid({ field, reason, remedy })

/** Whether a value can be a seq or a position: a safe integer from 0. */
export const isCounter = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/** Anything but a seq, `"any"` or `"exists"`. */
export const expectedSeqFault = (value: unknown): Fault | undefined =>
  isCounter(value) || value === "any" || value === "exists" ? undefined : invalid(
    "expected",
    `${show(value)} is no expectation of a stream`,
    "pass the last seq you know, 0 for a new stream, \"exists\", or \"any\""
  )

/** Anything but a revision, `"absent"`, `"exists"` or `"any"`. */
export const expectedRevisionFault = (value: unknown): Fault | undefined =>
  (isCounter(value) && value > 0) || value === "any" || value === "absent" || value === "exists"
    ? undefined
    : invalid(
      "expected",
      `${show(value)} is no expectation of a key`,
      "pass the revision you read, \"absent\", \"exists\", or \"any\""
    )

/** Something else where an event has to be. */
export const noEventFault = (field: string): Fault => invalid(field, "is no event", "pass { type, data }")

/** Anything but whole milliseconds since 1970. */
export const timeFault = (field: string, at: unknown): Fault | undefined =>
  Number.isSafeInteger(at)
    ? undefined
    : invalid(field, `${show(at)} is no time in whole milliseconds since 1970`, "pass date.getTime() or leave it out")

/** Anything but a seq or position. */
export const counterFault = (field: string, value: unknown, least = 0): Fault | undefined =>
  isCounter(value) && value >= least
    ? undefined
    : invalid(field, `${show(value)} is no whole number from ${least}`, "pass a seq or position that the store gave")

/** Anything but whole milliseconds. */
export const millisFault = (field: string, value: unknown): Fault | undefined =>
  isCounter(value) ? undefined : invalid(field, `${show(value)} is no whole number of milliseconds`, "leave it out")

/** Anything but a version: a whole number from 1. */
export const versionFault = (version: unknown): Fault | undefined =>
  isCounter(version) && version > 0
    ? undefined
    : invalid("version", `${show(version)} is no whole number from 1`, "count the versions from 1")

/** Anything but a whole number from 1, or nothing. */
export const limitFault = (limit: unknown): Fault | undefined =>
  limit === undefined || (isCounter(limit) && limit > 0)
    ? undefined
    : invalid("limit", `${show(limit)} is no whole number from 1`, "leave it out to get everything")

/** Options that the verb doesn't know: a misspelt one must not be taken for absent. */
export const optionsFault = (options: object | undefined, known: ReadonlyArray<string>): Fault | undefined => {
  if (options === undefined) return undefined
  if (options === null || typeof options !== "object") {
    return invalid("options", `${show(options)} is no object`, `pass an object of ${known.join(", ")}`)
  }
  for (const key in options) {
    if (!known.includes(key)) return invalid(key, "is no option here", `use one of ${known.join(", ")}`)
  }
  return undefined
}

/** Options without the one that has no default. */
export const requiredFault = (
  options: object | undefined,
  known: ReadonlyArray<string>,
  required: string
): Fault | undefined =>
  options === undefined || options === null || !(required in options)
    ? invalid(required, "is missing", `say what you expect, or ${required}: "any"`)
    : optionsFault(options, known)

/** The refusal of every call on a store that was closed. */
export const closedFault = invalid("store", "it is closed", "open it again and repeat the call")

/** The refusal of what a backend lacks, as it declares. */
export const lackFault = (backend: string, ability: Ability): Unsupported =>
  new Unsupported({ backend, ability, remedy: "use a backend that has it, such as sqlite" })

/** The same stream, key or namespace named twice in one commit. */
export const twiceFault = (field: string, name: string): Fault =>
  invalid(field, `${JSON.stringify(name)} is named twice in one commit`, "name each stream and key once a commit")

/** Anything but a flag, or nothing. */
export const flagFault = (field: string, value: unknown): Fault | undefined =>
  value === undefined || typeof value === "boolean"
    ? undefined
    : invalid(field, `${show(value)} is neither true nor false`, "pass true or false")

/** Anything but well-formed text, or nothing. */
export const textFault = (field: string, value: unknown): Fault | undefined =>
  value === undefined || (typeof value === "string" && value.isWellFormed())
    ? undefined
    : invalid(field, `${show(value)} is no well-formed text`, "pass a string of whole Unicode characters")

/** Anything but a list of event types, or nothing; an empty list could only mean a mistake. */
export const typesFault = (value: unknown): Fault | undefined =>
  value === undefined || (Array.isArray(value) && value.length > 0 && value.every((type) => typeof type === "string"))
    ? undefined
    : invalid("types", "is no list of event types", "pass at least one type, or leave it out for all")

/** A value that a message may name: strings quoted and shortened, objects by their kind. */
const show = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
    : typeof value === "object" && value !== null
    ? "an object"
    : typeof value === "bigint"
    ? `${value}n`
    : String(value)
