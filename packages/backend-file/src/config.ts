/** How a store is opened, checked before anything is touched. */
import { Invalid, isStoreError, type StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"

/** Which directory, and how it is used. */
export interface Config {
  /** The store's directory, relative to the working directory; made where it isn't there, its parent must be. */
  readonly path: string
  /** Opens an existing store without ever writing to it, also while another process does; default false. */
  readonly readonly?: boolean
  /**
   * How large a segment of the log becomes before the next one is begun, in bytes; default 16 MiB. After a crash,
   * opening reads one segment; the index grows by a file for each.
   */
  readonly segmentBytes?: number
  /** How often a store opened with `readonly` looks for what was committed while somebody listens, in milliseconds. */
  readonly pollInterval?: number
}

/** A configuration that holds, with its defaults; the path is absolute. */
export type Settings = Required<Config>

const known = new Set(["path", "readonly", "segmentBytes", "pollInterval"])
const mebibyte = 1024 * 1024
// Offsets within a segment have 32 bits, and one more batch of commits must fit behind the last.
const largestSegment = 1024 * mebibyte
// Timers count milliseconds in 31 bits.
const largestTime = 2 ** 31 - 1

/** Checks a configuration; throws `Invalid`, which names the field. */
export const settle = (config: Config): Settings => {
  for (const field of Object.keys(config)) {
    demand(known.has(field), field, "there is no such option", `use ${[...known].join(", ")}`)
  }
  const { path, pollInterval = 5, readonly = false, segmentBytes = 16 * mebibyte } = config
  demand(typeof path === "string" && path !== "", "path", "expected the name of a directory", "pass a path")
  demand(!path.includes("\0"), "path", "contains a NUL, which no file system takes", "remove it")
  demand(typeof readonly === "boolean", "readonly", "expected a boolean", "pass true or false")
  demandWhole("segmentBytes", segmentBytes, 1024, largestSegment)
  demandWhole("pollInterval", pollInterval, 1, largestTime)
  return { path: resolve(path), readonly, segmentBytes, pollInterval }
}

/** {@link settle} as an effect. */
export const settled = (config: Config): Effect.Effect<Settings, StoreError> =>
  Effect.try({
    try: () => settle(config),
    catch: (cause) => {
      if (isStoreError(cause)) return cause
      throw cause
    }
  })

const demandWhole = (field: string, value: number, least: number, most: number): void =>
  demand(
    Number.isInteger(value) && value >= least && value <= most,
    field,
    `expected a whole number from ${least} to ${most}, got ${String(value)}`,
    `pass an integer from ${least} to ${most}`
  )

const demand = (holds: boolean, field: string, reason: string, remedy: string): void => {
  if (!holds) throw new Invalid({ field, reason, remedy })
}
