/** What ends a command early, and how it is told: one line with field, reason and remedy, or the same as JSON. */
import type { Conflict, StoreError } from "@persist/core"
import { isStoreError } from "@persist/core"
import * as Data from "effect/Data"
import { type ExitCode, exitCode } from "./exit-code.ts"
import { printable } from "./printable.ts"

/** A command's own failure: what was wrong, why, and what to do about it. `details` are further members of its JSON. */
export class Failure extends Data.TaggedError("Failure")<{
  readonly exitCode: ExitCode
  readonly field: string
  readonly reason: string
  readonly remedy: string
  readonly details?: { readonly [name: string]: unknown }
  readonly cause?: unknown
}> {}

/** Whoever read the output has stopped reading: there is nothing left to do, and nothing to complain about. */
export class OutputClosed extends Data.TaggedError("OutputClosed")<{}> {}

/** What any command may fail with. */
export type CommandError = StoreError | Failure | OutputClosed

/** A failure as it is told. */
export interface Told {
  readonly exitCode: ExitCode
  /** Without the leading `error: `, on one line. */
  readonly text: string
  readonly json: { readonly [name: string]: unknown }
}

/** A wrong command line or input. */
export const misuse = (field: string, reason: string, remedy: string, cause?: unknown): Failure =>
  new Failure({ exitCode: exitCode.usage, field, reason, remedy, cause })

/** A lost race, with what is needed to decide again. */
export const lostRace = (conflict: Conflict, details: { readonly [name: string]: unknown }): Failure => {
  const { actual, expectation } = conflict
  const { expected } = expectation
  const place = expectation._tag === "Stream"
    ? { stream: expectation.stream }
    : { namespace: expectation.namespace, key: expectation.key }
  const what = expectation._tag === "Stream"
    ? `stream ${JSON.stringify(expectation.stream)} is at seq ${actual}`
    : `key ${JSON.stringify(expectation.key)} is ${actual === 0 ? "absent" : `at revision ${actual}`}`
  return new Failure({
    exitCode: exitCode.conflict,
    field: "expected",
    reason: `${what}, expected ${expected}`,
    remedy: "nothing happened: look at what is there and decide again",
    details: { tag: "Conflict", ...place, expected, actual, ...details }
  })
}

const exitCodes: { readonly [Tag in StoreError["_tag"]]: ExitCode } = {
  Invalid: exitCode.usage,
  LimitExceeded: exitCode.usage,
  Unavailable: exitCode.unavailable,
  OutcomeUnknown: exitCode.unavailable,
  Denied: exitCode.refused,
  Unsupported: exitCode.refused,
  Corrupt: exitCode.failed
}

// A cause stays out: it may hold what nobody should see.
const toldFields = new Set(
  ["message", "field", "operation", "where", "reason", "remedy", "id", "limit", "actual", "unit", "backend", "ability"]
)

/** How a failure, or whatever else was thrown, is told; of anything unforeseen only the message. */
export const tell = (error: unknown): Told => {
  if (error instanceof Failure) {
    const { details, field, reason, remedy } = error
    return {
      exitCode: error.exitCode,
      text: printable(`${field}: ${reason}; ${remedy}`),
      json: { tag: tagOf(error.exitCode), field, reason, remedy, ...details }
    }
  }
  if (isStoreError(error)) {
    const { _tag: tag, message } = error
    const told = [["message", message] as const, ...Object.entries(error)].filter(([name]) => toldFields.has(name))
    return {
      exitCode: exitCodes[tag],
      text: printable(inCommands(message)),
      json: {
        tag,
        ...Object.fromEntries(told.map(([name, value]) => [name, isProse(name, value) ? inCommands(value) : value]))
      }
    }
  }
  const reason = error instanceof Error ? error.message : String(error)
  const remedy = "run it again with --log-level debug, and report it"
  return {
    exitCode: exitCode.failed,
    text: printable(`persist: ${reason}; ${remedy}`),
    json: { tag: "Unexpected", field: "persist", reason, remedy }
  }
}

const isProse = (name: string, value: unknown): value is string =>
  ["message", "reason", "remedy"].includes(name) && typeof value === "string"

// The library speaks of options and calls; here they are flags and commands.
const inCommands = (text: string): string =>
  text.replace(/\ballowTruncated\b(: true)?/g, "--allow-truncated")
    .replace(/\bkeepEvents\b/g, "--keep-events")
    .replace(/\bmaxAge\b/g, "--max-age")
    .replace(/\bmaxCount\b/g, "--max-count")
    .replace(/(^|; )(close it and )?open (it|the store) again$/, "$1run it again, which opens what is there")
    .replace(/\b(call )?renewIncarnation\b/g, (_, call) => call === undefined ? "persist renew" : "run persist renew")

const tagOf = (code: ExitCode): string => code === exitCode.usage ? "Invalid" : "Failed"
