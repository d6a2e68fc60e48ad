/** Opens the database itself: inspected, brought to the current format, and set up as the configuration says. */
import type { StoreError } from "@persist/core"
import { isStoreError, Unsupported } from "@persist/core"
import Database from "better-sqlite3"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { randomUUID } from "node:crypto"
import type { Settings } from "./config.ts"
import { attempt, classify, codeOf, isBusy } from "./error.ts"
import { inspectFile } from "./file.ts"
import { addShortenedIndex, currentFormat, formatOf, migrate, unsupportedFormat } from "./schema.ts"
import { syncLog } from "./write-ahead-log.ts"

// Scattered reads are twice as fast as with SQLite's default; taken only as pages are read.
const cacheKibibytes = 65_536

// Four times SQLite's default: a page that many commits write goes to the file once for all of them. With more than
// 4,062 pages in the log, each page that is read would be looked for in more than one block of the log's index
// (https://sqlite.org/walformat.html, 2.3.2).
const checkpointPages = 4_000

/**
 * Opens the file and leaves nothing behind where that fails.
 * `Invalid`: no store at the path and none can be made there. `Unsupported`: another format, or a file system without
 * shared memory. `Unavailable`: locked for longer than the busy timeout. `Corrupt`: damaged.
 */
export const openDatabase = (settings: Settings): Effect.Effect<Database.Database, StoreError> =>
  Effect.flatMap(connect(settings), (db) =>
    Effect.onError(
      Effect.tap(setUp(db, settings), () => makeDurable(settings)),
      () => Effect.sync(() => db.close())
    ))

// Only now, when SQLite has decided which of the log's commits are there: they stay so while this connection lasts.
const makeDurable = (settings: Settings): Effect.Effect<void, StoreError> =>
  settings.memory || settings.synchronous !== "FULL"
    ? Effect.void
    : opening(settings.path, () => syncLog(settings))

const connect = ({ busyTimeout, memory, path, readonly }: Settings): Effect.Effect<Database.Database, StoreError> =>
  opening(path, () => {
    if (!memory) inspectFile({ path, readonly, busyTimeout })
    return new Database(path, { readonly, fileMustExist: readonly, timeout: busyTimeout })
  })

/** Runs what opening the file at a path takes; fails with a store error it throws, and as {@link classify} says. */
export const opening = <A>(path: string, use: () => A): Effect.Effect<A, StoreError> =>
  Effect.try({ try: use, catch: (cause) => isStoreError(cause) ? cause : classify("open", path, cause) })

const setUp = Effect.fnUntraced(function*(db: Database.Database, settings: Settings) {
  const step = (use: () => void) => attempt(db, "open", use)
  yield* step(() => db.pragma(`cache_size = -${cacheKibibytes}`))
  if (settings.readonly) {
    yield* step(() => {
      const format = formatOf(db)
      if (format !== currentFormat) throw unsupportedFormat(format, "open it once without readonly to migrate it")
    })
    return db
  }
  yield* step(() => {
    db.pragma(`synchronous = ${settings.synchronous}`)
    // Only macOS knows the difference: there, plain fsync leaves the data in the drive's cache.
    if (settings.synchronous === "FULL") db.pragma("fullfsync = ON")
    db.pragma(`wal_autocheckpoint = ${checkpointPages}`)
    migrate(db, randomUUID())
  })
  // A new file gets its first content before this switch, so that its header names the application from then on.
  if (!settings.memory) yield* useLog(db, settings.busyTimeout)
  yield* step(() => addShortenedIndex(db, settings.busyTimeout))
  return db
})

const retryInterval = 5

// SQLite waits for those who read, but not for those who write or are at this switch themselves.
const useLog = Effect.fnUntraced(function*(db: Database.Database, busyTimeout: number) {
  const deadline = (yield* Clock.currentTimeMillis) + busyTimeout
  yield* Effect.retry(attempt(db, "open", () => switchToLog(db)), {
    while: (error) =>
      isBusy(("cause" in error ? codeOf(error.cause) : undefined) ?? "")
        ? Effect.map(Clock.currentTimeMillis, (now) => now < deadline)
        : Effect.succeed(false),
    schedule: Schedule.spaced(retryInterval)
  })
})

const switchToLog = (db: Database.Database): void => {
  const mode = db.pragma("journal_mode = WAL", { simple: true })
  if (mode === "wal") return
  throw new Unsupported({
    backend: "sqlite",
    ability: `a write-ahead log on this file system (journal mode ${String(mode)})`,
    remedy: "put the file on a local disk"
  })
}
