/** The fault shim from a test's side: compiled where it's needed, its lines read, and answered. */
import * as Effect from "effect/Effect"
import { execFileSync, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs"
import { constants } from "node:os"
import { join } from "node:path"
import type { Skippable } from "../servers/program.ts"
import { root } from "../tidy/tree.ts"

/** A system call that is about to change something under the store's directory. */
export interface Call {
  readonly name:
    | "open"
    | "write"
    | "truncate"
    | "fsync"
    | "fdatasync"
    | "rename"
    | "link"
    | "unlink"
    | "mkdir"
    | "rmdir"
  /** Bytes to write, or to truncate to; -1 for other calls. */
  readonly length: number
  /** Where a write goes; -1 where the file's own offset says it. */
  readonly offset: number
  /** Relative to the directory, `"."` for itself. */
  readonly path: string
  /** The other path of a rename or link. */
  readonly to: string | undefined
}

/** What becomes of a call; see the head of `shim.c`. */
export type Verdict =
  | { readonly _tag: "Go"; readonly passing: number }
  | { readonly _tag: "Kill" | "Last" | "Lie" }
  | { readonly _tag: "Torn" | "Short"; readonly bytes: number }
  | { readonly _tag: "Fail"; readonly errno: keyof typeof constants.errno }

/** Lets one call happen. */
export const go: Verdict = { _tag: "Go", passing: 0 }

/** Lets every call happen from here on, unasked. */
export const free: Verdict = { _tag: "Go", passing: Number.MAX_SAFE_INTEGER }

/** Whether a line of the channel is the shim's. */
export const isCall = (line: string): boolean => line.startsWith("? ")

/** Reads a line of the shim. */
export const callOf = (line: string): Call => {
  const match = /^\? (\w+) (-?\d+) (-?\d+) ([^\t]*)(?:\t(.*))?$/.exec(line)
  if (match === null) throw new Error(`no line of the shim: ${line}`)
  const [, name, length, offset, path = "", to] = match
  return { name: name as Call["name"], length: Number(length), offset: Number(offset), path, to } // as shim.c names it
}

/** A verdict as the shim reads it. */
export const answerOf = (verdict: Verdict): string => {
  switch (verdict._tag) {
    case "Go":
      return `go ${verdict.passing}\n`
    case "Torn":
    case "Short":
      return `${verdict._tag.toLowerCase()} ${verdict.bytes}\n`
    case "Fail":
      return `fail ${constants.errno[verdict.errno]}\n`
    default:
      return `${verdict._tag.toLowerCase()}\n`
  }
}

/** A call in words. */
export const describeCall = ({ length, name, offset, path, to }: Call): string =>
  [
    name,
    path,
    ...to === undefined ? [] : [`to ${to}`],
    ...length < 0 ? [] : [`of ${length}`],
    ...offset < 0 ? [] : [`at ${offset}`]
  ].join(" ")

/** Where the compiled shim is, or why there is none here. */
export type Shim = { readonly library: string } | { readonly absent: string }

const source = join(import.meta.dirname, "shim.c")

/** Compiles the shim, once for each version of its source. */
export const findShim = (): Shim => {
  if (process.platform !== "linux") return { absent: `system calls can't be interposed on ${process.platform}` }
  const version = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 16)
  const directory = join(root, ".cache", "crash")
  const library = join(directory, `shim-${version}.so`)
  if (existsSync(library)) return { library }
  if (spawnSync("gcc", ["--version"]).status !== 0) return { absent: "gcc isn't installed: apt-get install gcc" }
  mkdirSync(directory, { recursive: true })
  const made = `${library}.${process.pid}`
  execFileSync("gcc", ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", made, source])
  // Others may be at the same: whoever is last replaces it by the same.
  renameSync(made, library)
  return { library }
}

/** What a process needs in its environment to ask on a descriptor about the calls under a directory. */
export const shimEnvironment = (library: string, directory: string, channel: number): Record<string, string> => ({
  LD_PRELOAD: library,
  PERSIST_FAULT_ROOT: directory,
  PERSIST_FAULT_CHANNEL: String(channel)
})

/** The shim's library, for a test: where there is none the test is skipped, and says why; in CI it fails. */
export const neededShim = ({ skip }: Skippable): Effect.Effect<string> =>
  Effect.sync(() => {
    const shim = findShim()
    if ("library" in shim) return shim.library
    if (process.env.CI === undefined) return skip(shim.absent)
    throw new Error(`${shim.absent}; CI skips no test`)
  })
