/** What lies at a store's path, found out without changing it; and the directory of a new store. */
import { Corrupt, Invalid } from "@persist/core"
import { dirname, join } from "node:path"
import type { Disk } from "./disk.ts"
import { codeOf } from "./error.ts"
import { findIdentity } from "./identity.ts"
import { manifestNumbers } from "./manifest.ts"

/** Paths within a store's directory. */
export const places = (directory: string) => ({
  log: join(directory, "log"),
  index: join(directory, "index"),
  cut: join(directory, "cut")
})

/** How a directory is to be used. */
export interface DirectoryUse {
  /** Absolute. */
  readonly path: string
  readonly readonly: boolean
}

/**
 * Which store is at a path; `undefined` where there is none and one may be made. Throws `Invalid` for
 * what is no store and can't become one, `Unsupported` for a store of a newer format, `Corrupt` for a store that lacks
 * its identity, and what the disk throws.
 */
export const inspectDirectory = (disk: Disk, { path, readonly }: DirectoryUse): string | undefined => {
  const found = look(disk, path)
  if (found === undefined) {
    const parent = dirname(path)
    if (look(disk, parent) !== "directory") {
      throw invalidPath(`the directory ${parent} doesn't exist`, "create it, or correct the path")
    }
    if (readonly) throw invalidPath(`there is no store at ${path}`, "correct the path, or open it without readonly")
    return undefined
  }
  if (found !== "directory") {
    throw invalidPath(`${path} is no directory`, "name a directory, or nothing that exists yet")
  }
  const identity = findIdentity(disk, path)
  if (identity !== undefined) return identity
  const names = disk.list(path)
  if (manifestNumbers(names).length > 0) {
    throw new Corrupt({
      where: join(path, "store"),
      reason: "the file is gone, though the rest of the store is here",
      remedy: "restore the file from a backup"
    })
  }
  if (!names.every((name) => leftover.test(name))) {
    throw invalidPath(`${path} holds other files and no store`, "name a store, or an empty directory")
  }
  if (readonly) throw invalidPath(`there is no store in ${path}`, "correct the path, or open it without readonly")
  return undefined
}

// What may lie in the directory of a store whose making was interrupted.
const leftover = /^(lock.*|store\..*\.tmp)$/

// A file in place of a directory on the way means that there is nothing, too.
const look = (disk: Disk, path: string): ReturnType<Disk["look"]> => {
  try {
    return disk.look(path)
  } catch (cause) {
    const code = codeOf(cause)
    if (code === "ENOTDIR") return undefined
    throw invalidPath(`${path} can't be reached (${code})`, "correct the path or its permissions", cause)
  }
}

const invalidPath = (reason: string, remedy: string, cause?: unknown): Invalid =>
  new Invalid({ field: "path", reason, remedy, ...(cause === undefined ? {} : { cause }) })
