/** The log beside a file that its commits are written to first: what it keeps, and what it may still bring to light. */
import { Unavailable } from "@persist/core"
import type Database from "better-sqlite3"
import * as Result from "effect/Result"
import { closeSync, fdatasyncSync, openSync, statSync } from "node:fs"
import type { Settings } from "./config.ts"

const logOf = (path: string): string => `${path}-wal`

const sizeOf = (path: string): number => statSync(logOf(path), { throwIfNoEntry: false })?.size ?? 0

/**
 * Makes the log durable as it lies there: who opens a file after a kill is shown commits that were written and perhaps
 * not synced, and nobody may be shown what the power can take away. Throws `Unavailable` where that fails.
 */
export const syncLog = ({ path, readonly }: Pick<Settings, "path" | "readonly">): void => {
  const synced = Result.try(() => {
    if (sizeOf(path) === 0) return
    const fd = openSync(logOf(path), readonly ? "r" : "r+")
    try {
      fdatasyncSync(fd)
    } finally {
      closeSync(fd)
    }
  })
  Result.getOrThrowWith(synced, (cause) =>
    new Unavailable({
      operation: "open",
      reason: `${logOf(path)} can't be synced`,
      remedy: "check the disk, then try again",
      cause
    }))
}

// SQLite's format: a header, then frames of a header and a page each.
const headerBytes = 32
const frameHeaderBytes = 24

/**
 * Whether the log is longer than what those who have the file open see of it. Then there may be a commit at its end
 * that a process wrote which was killed before it could tell the others: it would come to light when the last of them
 * has ended, unless somebody writes before that.
 */
export const mayHoldMore = (db: Database.Database, { memory, path }: Pick<Settings, "memory" | "path">): boolean => {
  if (memory) return false
  const frames = db.prepare<[], { log: number }>("PRAGMA wal_checkpoint(NOOP)").get()?.log ?? 0
  const pageBytes = Number(db.pragma("page_size", { simple: true }))
  return sizeOf(path) > headerBytes + frames * (frameHeaderBytes + pageBytes)
}
