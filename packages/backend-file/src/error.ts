/** Turns what the file system throws into the store's errors: by code, never by message. */
import type { BackendError } from "@persist/core"
import { Corrupt, Denied, isStoreError, Unavailable } from "@persist/core"
import { DamagedRun, DiskFault, TreeClosed } from "./tree/tree.ts"

/** The error code of something thrown, such as `ENOSPC`; `undefined` where it didn't come from the system. */
export const codeOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "errno" in cause && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : undefined

/**
 * It can't be told what the disk holds of what was written, or whether it's still ours to write. The handle must stop:
 * opening the store anew finds out.
 */
export class Unsettled extends Error {
  override readonly name = "Unsettled"

  /** `message` says what happened, to follow on "the store stopped after". */
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
  }
}

/** The answer of a handle whose scope has ended. */
export const closed = (operation: string): Unavailable =>
  new Unavailable({ operation, reason: "the store is closed", remedy: "open it again", reopen: true })

/** The answer of a handle that has stopped. */
export const stopped = (operation: string, { cause, message }: Unsettled): Unavailable =>
  new Unavailable({
    operation,
    reason: `the store stopped after ${message}`,
    remedy: "close it and open it again",
    reopen: true,
    ...(cause === undefined ? {} : { cause })
  })

/** Damage met at a place of a file; `position` where it's known which. */
export const damage = (path: string, offset: number, reason: string, position?: number): Corrupt =>
  new Corrupt({
    where: `${path}, at byte ${offset}${position === undefined ? "" : `, position ${position}`}`,
    reason,
    remedy: "run persist verify to see what else is damaged, and restore the store from a backup"
  })

interface Advice {
  readonly reason: string
  readonly remedy: string
}

const passing: Readonly<Record<string, Advice>> = {
  ENOSPC: { reason: "the disk is full", remedy: "make space, then try again" },
  EDQUOT: { reason: "the disk quota is used up", remedy: "make space or raise the quota, then try again" },
  EFBIG: { reason: "the file system takes no larger file", remedy: "raise the limit, then try again" },
  EMFILE: { reason: "the process has too many files open", remedy: "close some or raise the limit, then try again" },
  ENFILE: { reason: "the system has too many files open", remedy: "close some or raise the limit, then try again" },
  ENOMEM: { reason: "out of memory", remedy: "free some, then try again" },
  EIO: { reason: "the disk failed", remedy: "check the disk, then try again" }
}

const permit = (path: string): string => `grant the process permission to use ${path}`

interface Refusal {
  readonly reason: string
  readonly remedy: (path: string) => string
}

const refused: Readonly<Record<string, Refusal>> = {
  EACCES: { reason: "permission is denied", remedy: permit },
  EPERM: { reason: "the system doesn't permit it", remedy: permit },
  EROFS: {
    reason: "the file system may only be read",
    remedy: () => "mount it for writing, or open the store with readonly"
  }
}

/**
 * Classifies what was thrown by the file system while the store in a directory was used. `Denied`: not permitted.
 * `Unavailable`: space, open files, memory, input and output, and every other failure of the system. `Corrupt`: a file
 * of the store is gone. What isn't the system's is a bug and is thrown on.
 */
export const classify = (operation: string, directory: string, cause: unknown): BackendError => {
  if (isStoreError(cause) && cause._tag !== "Invalid") return cause
  if (cause instanceof Unsettled) return stopped(operation, cause)
  if (cause instanceof DiskFault) return classify(operation, directory, cause.cause)
  if (cause instanceof TreeClosed) return closed(operation)
  if (cause instanceof DamagedRun) {
    return new Unavailable({
      operation,
      reason: `the index is damaged (${cause.message})`,
      // Who only reads changes nothing, and who opens the store for writing doesn't read all of it.
      remedy: (cause.missing ? "" : `remove ${cause.path} and `) +
        "open the store again for writing: the index is then made anew from the log",
      cause
    })
  }
  const code = codeOf(cause)
  if (code === undefined) throw cause
  const path = pathOf(cause) ?? directory
  const where = `${path} (${code})`
  const denied = refused[code]
  if (denied !== undefined) {
    return new Denied({ operation, reason: `${denied.reason}: ${where}`, remedy: denied.remedy(path) })
  }
  if (code === "ENOENT") return damage(path, 0, "the file is gone")
  const { reason, remedy } = passing[code] ?? { reason: "the file system failed", remedy: "check it, then try again" }
  return new Unavailable({ operation, reason: `${reason}: ${where}`, remedy, cause })
}

const pathOf = (cause: unknown): string | undefined =>
  cause instanceof Error && "path" in cause && typeof cause.path === "string" ? cause.path : undefined
