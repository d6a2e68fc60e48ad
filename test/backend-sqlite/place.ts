/** Places for stores on disk, and the shortest ways to say what a commit does and what a store holds. */
import { make } from "@persist/backend-sqlite"
import type { BackendShape, Commit, NewEvent, Payload, Put } from "@persist/core"
import { isStoreError, origin, Position, Seq, type StoreError, unbounded } from "@persist/core"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** A directory of its own, removed with the scope. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "persist-sqlite-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** The path of a file that isn't there yet. */
export const newPath = Effect.map(directory, (path) => join(path, "app.db"))

/** Uses a handle and closes it again. */
export const visit = <A, E>(path: string, use: (backend: BackendShape) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(make({ path }), use))

/** Opens the file by the driver, past the backend, and closes it again. */
export const driver = <A>(path: string, use: (db: Database.Database) => A): A => {
  const db = new Database(path)
  const result = use(db)
  db.close()
  return result
}

/** A commit that does only what is named. */
export const commitOf = (parts: Partial<Commit>): Commit => ({
  identity: undefined,
  at: 1000,
  expect: [],
  append: [],
  write: [],
  truncate: [],
  ...parts
})

/** An event with this payload. */
export const eventOf = (data: Payload, parts: Partial<NewEvent> = {}): NewEvent => ({
  type: "Happened",
  at: 1000,
  data,
  meta: undefined,
  id: undefined,
  ...parts
})

/** A commit that appends these payloads to a stream. */
export const appendOf = (stream: string, first: Payload, ...rest: ReadonlyArray<Payload>): Commit =>
  commitOf({ append: [{ stream, events: [eventOf(first), ...rest.map((data) => eventOf(data))] }] })

/** A write of a key. */
export const putOf = (namespace: string, key: string, value: Payload): Put => ({
  _tag: "Put",
  namespace,
  key,
  value,
  meta: undefined
})

/** The range of everything there is. */
export const everything = {
  after: origin,
  to: Position(unbounded),
  prefix: "",
  types: undefined,
  limit: 10_000,
  reverse: false
}

/** The events of one stream from first to last. */
export const eventsOf = (backend: BackendShape, stream: string) =>
  backend.readStream({ stream, from: Seq(1), to: Seq(unbounded), limit: 10_000, reverse: false })

/** All that a store holds, as its verbs tell it. */
export const contents = Effect.fnUntraced(function*(backend: BackendShape) {
  const namespaces = yield* backend.namespaces({ after: undefined, limit: 100 })
  return {
    head: yield* backend.head,
    events: yield* backend.readAll(everything),
    streams: yield* backend.streams({ prefix: "", after: undefined, limit: 100 }),
    namespaces,
    entries: yield* Effect.forEach(
      namespaces,
      ({ namespace }) => backend.scan({ namespace, gte: undefined, lt: undefined, limit: 100, reverse: false })
    ),
    changed: yield* Effect.forEach(
      namespaces,
      ({ namespace }) => backend.changed({ namespace, after: origin, limit: 100 })
    )
  }
})

/** What lies in a directory, with the hash of each file: equal where nothing was changed. */
export const fingerprint = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { withFileTypes: true }).map((entry) =>
    entry.isFile()
      ? `${entry.name} ${createHash("sha256").update(readFileSync(join(path, entry.name))).digest("hex")}`
      : entry.name
  ).sort()

/** The store error an effect fails with; dies where it succeeds or fails otherwise. */
export const errorOf = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<StoreError> =>
  Effect.flatMap(Effect.exit(Effect.flip(effect)), (exit) =>
    exit._tag === "Success" && isStoreError(exit.value)
      ? Effect.succeed(exit.value)
      : Effect.die(new Error("expected a store error", { cause: exit })))

/** A connection of the application's own to a store's file. */
export const connectionTo = (path: string): Effect.Effect<Database.Database, never, Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Database(path)),
    (opened) => Effect.sync(() => opened.close())
  )
