/** What lies at a path, found out without changing it. */
import { Invalid, type StoreError } from "@persist/core"
import Database from "better-sqlite3"
import * as Result from "effect/Result"
import { accessSync, closeSync, constants, openSync, readSync, type Stats, statSync } from "node:fs"
import { dirname } from "node:path"
import { codeOf, movedFile, systemCodeOf, unreachable, unreadable } from "./error.ts"
import { applicationId, currentFormat, unsupportedFormat } from "./schema.ts"

/** How a file is to be used. */
export interface FileUse {
  /** Absolute. */
  readonly path: string
  readonly readonly: boolean
  /** How long to wait for others, in milliseconds. */
  readonly busyTimeout: number
}

/**
 * Makes sure that there is a store at the path, or that one may be made there; changes nothing, but for undoing what an
 * interrupted transaction left half done.
 * Throws `Invalid` for whatever is no store, can't become one or may not be used so, and `Unsupported` for a store of
 * a newer format.
 */
export const inspectFile = ({ busyTimeout, path, readonly }: FileUse): void => {
  const found = inspect(path)
  if (found === undefined) {
    const directory = inspect(dirname(path))
    if (!directory?.isDirectory()) {
      throw invalidPath(`the directory ${dirname(path)} doesn't exist`, "create it, or correct the path")
    }
    if (readonly) throw invalidPath(`there is no file at ${path}`, "correct the path, or open it without readonly")
    return demand(dirname(path), constants.W_OK | constants.X_OK, "write to its directory")
  }
  if (!found.isFile()) throw invalidPath(`${path} is not a regular file`, "name a file")
  demand(path, constants.R_OK, "read it")
  if (!readonly) {
    demand(path, constants.W_OK, "write to it")
    demand(dirname(path), constants.W_OK | constants.X_OK, "write to its directory")
    if (isInterrupted(path)) rollBack(path, busyTimeout)
  }
  if (readonly || inspect(path)?.size !== 0) inspectHeader(path)
}

/** Throws `Invalid` where nothing is at a path, or an empty file, which would become a store by being opened. */
export const demandStore = (path: string): void => {
  if (inspect(path)?.size) return
  throw invalidPath(`there is no store at ${path}`, "correct the path")
}

/**
 * Watches that the path keeps naming the file it names now: answers true once it was moved, deleted or replaced.
 * Throws `Unavailable` where it names none any more. Both the call and what it returns throw as {@link unreachable}
 * says where that can't be found out: never `Invalid`, since the path was good when the store was opened.
 */
export const watchFile = (path: string): () => boolean => {
  const opened = look(path, (cause) => unreachable("open", path, cause))
  if (opened === undefined) throw movedFile("open")
  return () => {
    const now = look(path, (cause) => unreachable("commit", path, cause))
    return now?.ino !== opened.ino || now.dev !== opened.dev
  }
}

/** An `Invalid` about the path. */
export const invalidPath = (reason: string, remedy: string, cause?: unknown): Invalid =>
  new Invalid({ field: "path", reason, remedy, ...(cause === undefined ? {} : { cause }) })

// Undefined where nothing is there, also where a file stands in place of a directory on the way.
const look = (path: string, refuse: (cause: unknown) => StoreError): Stats | undefined => {
  const found = Result.try(() => statSync(path, { throwIfNoEntry: false }))
  if (Result.isSuccess(found)) return found.success
  if (systemCodeOf(found.failure) === "ENOTDIR") return undefined
  throw refuse(found.failure)
}

const inspect = (path: string): Stats | undefined =>
  look(path, (cause) => {
    const reason = `${path} can't be reached (${systemCodeOf(cause)})`
    return invalidPath(reason, "correct the path or its permissions", cause)
  })

const demand = (path: string, mode: number, what: string): void => {
  const remedy = mode === constants.R_OK ? "grant the permission" : "grant it, or open the store with readonly"
  Result.getOrThrowWith(
    Result.try(() => accessSync(path, mode)),
    (cause) => invalidPath(`no permission to ${what} (${path})`, remedy, cause)
  )
}

// What a rollback journal begins with once it counts.
const journalMagic = Uint8Array.of(0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7)

// Whether a transaction outside the write-ahead log, which creates or migrates a store, may have been cut off.
const isInterrupted = (path: string): boolean => {
  const start = readStart(`${path}-journal`, journalMagic.length)
  return start !== undefined && journalMagic.every((byte, i) => byte === start[i])
}

// Until then the file isn't what it says: it may be half of a new store, of which SQLite then leaves an empty file.
const rollBack = (path: string, timeout: number): void => {
  const db = new Database(path, { fileMustExist: true, timeout })
  const asked = Result.try(() => db.pragma("user_version"))
  db.close()
  // The header tells what it is otherwise.
  if (Result.isFailure(asked) && codeOf(asked.failure) !== "SQLITE_NOTADB") throw asked.failure
}

interface Header {
  readonly application: number
  readonly format: number
}

const inspectHeader = (path: string): void => {
  // Whoever has a store open keeps a -shm beside it. Then only SQLite may open the file: closing it in any other way
  // would take the locks from every handle of this process. And while it is in use, one more reader changes nothing.
  const header = inspect(`${path}-shm`) === undefined ? readHeader(path) : askHeader(path)
  if (header === undefined) {
    throw invalidPath(`${path} is not a store`, "name a store, or a file that doesn't exist yet")
  }
  if (header.application !== applicationId) {
    throw invalidPath(
      `${path} is another application's SQLite database`,
      "name a store, or a file that doesn't exist yet"
    )
  }
  if (header.format > currentFormat) throw unsupportedFormat(header.format, "")
}

// SQLite's header: its magic string, the user version at byte 60, the application id at byte 68, both big-endian.
const magic = "SQLite format 3\0"
const headerBytes = 100

const readHeader = (path: string): Header | undefined => {
  const start = readStart(path, headerBytes)
  if (start === undefined) return undefined
  const named = new TextDecoder("latin1").decode(start.subarray(0, magic.length))
  if (start.length < headerBytes || named !== magic) return undefined
  const header = new DataView(start.buffer)
  return { application: header.getUint32(68), format: header.getUint32(60) }
}

/** The first bytes of a file, fewer where it ends before; `undefined` where none is; throws as {@link unreadable}. */
const readStart = (path: string, length: number): Uint8Array<ArrayBuffer> | undefined => {
  const start = new Uint8Array(length)
  const read = Result.try(() => {
    const fd = openSync(path, "r")
    try {
      return readSync(fd, start, 0, length, 0)
    } finally {
      closeSync(fd)
    }
  })
  if (Result.isSuccess(read)) return start.subarray(0, read.success)
  if (systemCodeOf(read.failure) === "ENOENT") return undefined
  throw unreadable("open", path, read.failure)
}

const askHeader = (path: string): Header | undefined => {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  const asked = Result.try(() => ({
    application: Number(db.pragma("application_id", { simple: true })),
    format: Number(db.pragma("user_version", { simple: true }))
  }))
  db.close()
  if (Result.isFailure(asked) && codeOf(asked.failure) === "SQLITE_NOTADB") return undefined
  return Result.getOrThrow(asked)
}
