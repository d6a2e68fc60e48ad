/** The file that bad lines are set aside to, as they are, so that they can be mended and imported. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs"
import { resolve } from "node:path"
import { type Failure, misuse } from "./failure.ts"
import type { ImportRecord } from "./import-record.ts"

/** A file that grows by bad lines. */
export interface SetAside {
  /** Absolute. */
  readonly file: string
  /** Adds a line; answers how long the file is then. Throws what the file system does. */
  readonly add: (line: Uint8Array) => number
  /** Makes sure that what was added survives, if anything was. */
  readonly flush: () => void
}

/**
 * Opens the file for as long as the scope. What an earlier, killed run added beyond what it could record is cut off, as
 * those lines come again; everything else in it stays.
 */
export const openSetAside = (
  name: string,
  recorded: ImportRecord["setAside"]
): Effect.Effect<SetAside, Failure, Scope> => {
  const file = resolve(name)
  const open = Effect.try({
    try: () => {
      const fd = openSync(file, "a+")
      const { size } = fstatSync(fd)
      const kept = recorded?.file === file ? Math.min(size, recorded.bytes) : size
      if (kept < size) ftruncateSync(fd, kept)
      return { fd, kept }
    },
    catch: (cause) =>
      misuse("skip-bad", `${name} can't be written`, "name a file in a directory that may be written", cause)
  })
  return Effect.map(
    Effect.acquireRelease(open, ({ fd }) => Effect.sync(() => closeSync(fd))),
    ({ fd, kept }) => {
      let bytes = kept
      let unflushed = false
      return {
        file,
        add: (line) => {
          writeSync(fd, Buffer.concat([line, newline]))
          unflushed = true
          bytes += line.length + newline.length
          return bytes
        },
        flush: () => {
          if (unflushed) fsyncSync(fd)
          unflushed = false
        }
      }
    }
  )
}

const newline = Buffer.from("\n")

/** The file for bad lines where none is named: beside the input, `events.bad.ndjson`. */
export const setAsideName = (input: string): string =>
  `${input === "-" ? "stdin" : input.replace(/\.gz$/, "").replace(/\.[^./\\]+$/, "")}.bad.ndjson`
