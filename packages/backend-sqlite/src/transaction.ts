/** Transactions that write tables of the application's own and commit to the store, in the file that holds both. */
import type { StoreShape, Transact } from "@persist/core"
import { Invalid } from "@persist/core"
import { settled } from "@persist/core/settled"
import type Database from "better-sqlite3"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { resolve } from "node:path"
import { Writer } from "./commit.ts"
import { watchFile } from "./file.ts"
import { Names } from "./names.ts"
import { opening } from "./open.ts"
import { makeRecorded } from "./recorded.ts"
import { applicationId, currentFormat, formatOf, incarnationOf, unsupportedFormat } from "./schema.ts"
import { mayHoldMore } from "./write-ahead-log.ts"

/** Where the tables are. */
export interface TransactionsConfig {
  /** A connection of better-sqlite3's to the store's file; the application opens and closes it. */
  readonly db: Database.Database
}

/**
 * Transactions on a connection to the file of the store: what's done by it and what's committed to the store happen
 * together or not at all. The work has to be done at once: all others who write wait for it, and so does this thread.
 * Where the store's commits are flushed to the disk, those of the connection are from then on. Wrong options throw
 * `Invalid`.
 */
export const transactions = ({ db, ...rest }: TransactionsConfig): Transact<Database.Database> => {
  const [stray] = Object.keys(rest)
  if (stray !== undefined) throw new Invalid({ field: stray, reason: "there is no such option", remedy: "use db" })
  if (typeof db?.inTransaction !== "boolean") throw invalid("is no connection", "pass a Database of better-sqlite3")
  return (store, work, ops) =>
    Effect.gen(function*() {
      const commit = yield* store.engine.draft(ops)
      const writer = yield* opening(db.name, () => writerOf(db, store))
      const did = yield* doing(db, work)
      const outcome = yield* writer.together(commit, did.first)
      return outcome === undefined ? yield* Effect.failCause(did.failed()) : yield* settled(outcome)
    })
}

/** Some work as one call, and what it has failed with where that answers false. */
const doing = <E, R>(db: Database.Database, work: (db: Database.Database) => Effect.Effect<unknown, E, R>) =>
  Effect.contextWith((context: Context.Context<R>) => {
    let failed: Cause.Cause<E> = Cause.empty
    return Effect.succeed({
      first: () => {
        const exit = Effect.runSyncExitWith(context)(Effect.suspend(() => work(db)))
        if (Exit.isSuccess(exit) && db.inTransaction) return true
        failed = Exit.isSuccess(exit) ? Cause.die(ended) : endedCause(exit.cause)
        return false
      },
      failed: () => failed
    })
  })

// What would go on later would write beside the transaction.
const endedCause = <E>(cause: Cause.Cause<E>): Cause.Cause<E> => {
  const error = Cause.squash(cause)
  if (!Cause.isAsyncFiberError(error)) return cause
  error.fiber.interruptUnsafe()
  return Cause.die(late)
}

// What a connection's writer remembers holds only while no other one writes by it.
const writers = new WeakMap<Database.Database, Writer>()

const writerOf = (db: Database.Database, { about }: StoreShape): Writer => {
  if (!db.open) throw invalid("is closed", "pass one that stays open while this runs")
  if (db.inTransaction) throw invalid("has a transaction open", "pass one that nobody else uses")
  const held = writers.get(db)
  if (incarnationIn(db) !== about.incarnation) {
    throw invalid("leads to another store", "pass a connection to the store's own file")
  }
  if (held !== undefined) return held
  // What was acknowledged to one reader must not be taken back by a loss of power.
  if (about.durability === "disk") {
    for (const setting of ["synchronous = FULL", "fullfsync = ON"]) {
      db.pragma(setting)
    }
  }
  const path = resolve(db.name)
  const writer = new Writer({
    db,
    incarnation: about.incarnation,
    types: new Names(db, "type"),
    namespaces: new Names(db, "namespace"),
    recorded: makeRecorded(db),
    moved: watchFile(path),
    holdsMore: () => mayHoldMore(db, { memory: false, path }),
    // Those who listen look at the file.
    notify: () => undefined
  })
  writers.set(db, writer)
  return writer
}

const incarnationIn = (db: Database.Database): string | undefined => {
  if (typeof db.prepare("SELECT 1").pluck().get() === "bigint") {
    throw invalid("answers bigints", "call safeIntegers on the statements that need them instead")
  }
  if (db.pragma("application_id", { simple: true }) !== applicationId) return undefined
  const format = formatOf(db)
  if (format !== currentFormat) throw unsupportedFormat(format, "open the store once to migrate it")
  return incarnationOf(db)
}

const invalid = (reason: string, remedy: string): Invalid => new Invalid({ field: "db", reason, remedy })
const ended = new Invalid({
  field: "handle",
  reason: "ended the transaction",
  remedy: "leave its end to whoever called"
})
const late = new Invalid({
  field: "handle",
  reason: "didn't end at once",
  remedy: "wait for nothing in it: the file is locked, and so is this thread"
})
