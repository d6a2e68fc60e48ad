/** How a store is opened, checked before anything is touched. */
import { Invalid, isStoreError, type StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import { resolve } from "node:path"

/** Which file, and how it is used. */
export interface Config {
  /** The file, relative to the working directory, or `":memory:"` for a store that ends with its scope. */
  readonly path: string
  /** Opens an existing store without ever writing to it; commits are `Denied`. Default false. */
  readonly readonly?: boolean
  /**
   * What an acknowledged commit survives: `FULL` (default) flushes it to disk before; with `NORMAL` and `OFF` the last
   * ones may be lost with the machine's power, and with `OFF` the file may be damaged then.
   */
  readonly synchronous?: "FULL" | "NORMAL" | "OFF"
  /** How long to wait for other processes that are writing, in milliseconds; the thread waits too. Default 5,000. */
  readonly busyTimeout?: number
  /** How often `changes` looks for other processes' commits while somebody listens, in milliseconds. Default 5. */
  readonly pollInterval?: number
}

/** A configuration that holds, with its defaults. */
export interface Settings extends Required<Config> {
  readonly memory: boolean
}

const known = new Set(["path", "readonly", "synchronous", "busyTimeout", "pollInterval"])
const modes = new Set(["FULL", "NORMAL", "OFF"])
// SQLite and timers count milliseconds in 32 bits.
const largestTime = 2 ** 31 - 1

/** Checks a configuration; throws `Invalid`, which names the field. The path becomes absolute. */
export const settle = (config: Config): Settings => {
  for (const field of Object.keys(config)) {
    demand(known.has(field), field, "there is no such option", `use ${[...known].join(", ")}`)
  }
  const { busyTimeout = 5000, path, pollInterval = 5, readonly = false, synchronous = "FULL" } = config
  demand(typeof path === "string" && path !== "", "path", "expected the name of a file", "pass a path or \":memory:\"")
  demand(!path.includes("\0"), "path", "contains a NUL, which no file system takes", "remove it")
  // The driver would trim it and open another file than the one named.
  demand(path.trim() === path, "path", "starts or ends with white space", "rename the file")
  demand(typeof readonly === "boolean", "readonly", "expected a boolean", "pass true or false")
  demand(modes.has(synchronous), "synchronous", `there is no mode ${synchronous}`, "use FULL, NORMAL or OFF")
  demandTime("busyTimeout", busyTimeout, 0)
  demandTime("pollInterval", pollInterval, 1)
  const memory = path === ":memory:"
  demand(!(memory && readonly), "readonly", "a new store in memory has nothing to read", "leave it out, or name a file")
  return { path: memory ? path : resolve(path), readonly, synchronous, busyTimeout, pollInterval, memory }
}

/** The same as an effect. */
export const settled = (config: Config): Effect.Effect<Settings, StoreError> =>
  Effect.try({
    try: () => settle(config),
    catch: (cause) => {
      if (isStoreError(cause)) return cause
      throw cause
    }
  })

const demandTime = (field: string, value: number, least: number): void =>
  demand(
    Number.isInteger(value) && value >= least && value <= largestTime,
    field,
    `expected whole milliseconds, got ${String(value)}`,
    `pass an integer from ${least} to ${largestTime}`
  )

const demand = (holds: boolean, field: string, reason: string, remedy: string): void => {
  if (!holds) throw new Invalid({ field, reason, remedy })
}
