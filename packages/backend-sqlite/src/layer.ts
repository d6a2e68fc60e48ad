/** The SQLite backend: one file (or one store in memory) as a `Backend`. */
import type { About, BackendShape, CommitId, StoreError } from "@persist/core"
import { Backend, defaultLimits, Denied, Unavailable } from "@persist/core"
import type Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import { makeChanges } from "./changes.ts"
import { Writer } from "./commit.ts"
import { type Config, type Settings, settled } from "./config.ts"
import { attempt } from "./error.ts"
import { watchFile } from "./file.ts"
import { Names } from "./names.ts"
import { openDatabase } from "./open.ts"
import { makeKvReads } from "./read-kv.ts"
import { makeLogReads } from "./read.ts"
import { makeRecorded } from "./recorded.ts"
import { incarnationOf } from "./schema.ts"
import { mayHoldMore } from "./write-ahead-log.ts"

/**
 * Opens a store, creating it where there is none; it closes with the scope. Several handles and processes may use
 * one file at once. Fails, and changes nothing, with `Invalid` (a configuration, or a file that is no store and can't
 * become one), `Unsupported` (another version's format), `Unavailable` (locked beyond `busyTimeout`), `Corrupt`, or
 * `Denied` (readers too share memory through files beside it, in a directory that must be writable).
 */
export const make = (config: Config): Effect.Effect<BackendShape, StoreError, Scope> =>
  Effect.map(Effect.acquireRelease(open(config), ({ close }) => close), ({ backend }) => backend)

/** A store in a file as the `Backend`; fails to build as {@link make} says. */
export const layer = (config: Config): Layer.Layer<Backend, StoreError> => Layer.effect(Backend, make(config))

interface Handle {
  readonly backend: BackendShape
  readonly close: Effect.Effect<void>
}

const open = Effect.fnUntraced(function*(config: Config) {
  const settings = yield* settled(config)
  const db = yield* openDatabase(settings)
  return yield* Effect.onError(attempt(db, "open", () => assemble(db, settings)), () => Effect.sync(() => db.close()))
})

const assemble = (db: Database.Database, settings: Settings): Handle => {
  const streams = new Names(db, "stream")
  const types = new Names(db, "type")
  const namespaces = new Names(db, "namespace")
  const recorded = makeRecorded(db)
  const changes = makeChanges(db, settings.pollInterval)
  const moved = settings.memory ? () => false : watchFile(settings.path)
  const holdsMore = () => mayHoldMore(db, settings)
  const incarnation = incarnationOf(db)
  const writer = settings.readonly
    ? undefined
    : new Writer({ db, incarnation, types, namespaces, recorded, moved, holdsMore, notify: changes.notify })
  const resolved = (id: CommitId) => attempt(db, "resolve", () => Option.fromUndefinedOr(recorded(id)?.committed))
  const settle = writer?.settle ??
    Effect.flatMap(attempt(db, "resolve", holdsMore), (more) => more ? Effect.fail(notForReaders()) : Effect.void)
  return {
    backend: {
      about: describe(settings, incarnation),
      commit: writer?.commit ?? (() => Effect.fail(refuseWrite())),
      // That it never happened has to stay so.
      resolve: (id) =>
        Effect.flatMap(
          resolved(id),
          (found) => Option.isSome(found) ? Effect.succeed(found) : Effect.andThen(settle, resolved(id))
        ),
      ...makeLogReads({ db, streams, types }),
      ...makeKvReads({ db, namespaces }),
      changes: changes.changes
    },
    close: Effect.sync(() => {
      db.close()
      changes.close()
    })
  }
}

const refuseWrite = (): Denied =>
  new Denied({
    operation: "commit",
    reason: "the store was opened with readonly",
    remedy: "open it without readonly to write"
  })

const notForReaders = (): Unavailable =>
  new Unavailable({
    operation: "resolve",
    reason: "the log may hold a commit that nobody sees yet, and a reader can't make sure that nobody will",
    remedy: "ask a handle that writes"
  })

const describe = ({ memory, synchronous }: Settings, incarnation: string): About => ({
  name: "sqlite",
  durability: memory ? "memory" : synchronous === "FULL" ? "disk" : "process",
  shared: !memory,
  ambiguous: false,
  lacks: new Set(),
  limits: defaultLimits,
  incarnation
})
