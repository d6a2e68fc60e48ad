/** The file backend: one directory as a `Backend`. */
import type { About, BackendError, BackendShape, StoreError } from "@persist/core"
import { Backend, defaultLimits, isStoreError, makeSignal } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import { type Config, settle } from "./config.ts"
import { type Disk, disk as realDisk } from "./disk.ts"
import { classify, closed } from "./error.ts"
import { openStore } from "./open-store.ts"
import { changedKeys, getKeys, listNamespaces, scanKeys } from "./read-kv.ts"
import { listStreams, type Readable, readAll, readStream } from "./read-log.ts"
import { Writer } from "./writer.ts"

/**
 * Opens a store, making it where there is none; it closes with the scope. One process writes it, others may read it
 * meanwhile, with `readonly`. Fails, and changes nothing, with `Invalid` (a configuration, or a directory that is no
 * store and can't become one), `Unsupported` (a newer format), `Unavailable` (another process writes it, or the disk
 * fails), `Denied` (no permission), or `Corrupt` (damaged, with the file and the place in it).
 */
export const make = (config: Config): Effect.Effect<BackendShape, StoreError, Scope> => makeOn(realDisk, config)

/** A store in a directory as the `Backend`; fails to build as {@link make} says. */
export const layer = (config: Config): Layer.Layer<Backend, StoreError> => Layer.effect(Backend, make(config))

/** {@link make} on a disk of one's own: for tests, of what becomes of a store when the disk fails. */
export const makeOn = Effect.fnUntraced(function*(disk: Disk, config: Config) {
  const settings = yield* Effect.try({
    try: () => settle(config),
    catch: (cause) => {
      if (isStoreError(cause)) return cause
      throw cause
    }
  })
  const opened = yield* openStore(disk, settings)
  const signal = makeSignal()
  const writer = new Writer({ ...opened, directory: settings.path, notify: signal.notify })
  const handle = { open: true }
  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      writer.close,
      Effect.sync(() => {
        handle.open = false
        signal.notify()
      })
    )
  )
  const { contents, incarnation, journal } = opened
  const readable = {
    contents,
    log: journal.log,
    get head() {
      return journal.open.head
    }
  }
  return {
    about: describe(incarnation, false),
    ...verbs(readable, (operation, use) =>
      Effect.try({
        try: () => {
          if (!handle.open) throw closed(operation)
          return use()
        },
        catch: (cause) => classify(operation, settings.path, cause)
      })),
    commit: (batch) => handle.open ? writer.commit(batch) : Effect.fail(closed("commit")),
    changes: signal.changes
  } satisfies BackendShape
}) satisfies (disk: Disk, config: Config) => Effect.Effect<BackendShape, StoreError, Scope>

type Attempt = <A>(operation: string, use: () => A) => Effect.Effect<A, BackendError>

const verbs = (readable: Readable, attempt: Attempt): Omit<BackendShape, "about" | "commit" | "changes"> => ({
  resolve: (id) => attempt("resolve", () => Option.fromUndefinedOr(readable.contents.commits.recorded(id)?.committed)),
  readStream: (range) => attempt("readStream", () => readStream(readable, range)),
  readAll: (range) => attempt("readAll", () => readAll(readable, range)),
  streams: (range) => attempt("streams", () => listStreams(readable, range)),
  get: (keys) => attempt("get", () => getKeys(readable, keys)),
  scan: (range) => attempt("scan", () => scanKeys(readable, range)),
  changed: (range) => attempt("changed", () => changedKeys(readable, range)),
  namespaces: (range) => attempt("namespaces", () => listNamespaces(readable, range)),
  head: attempt("head", () => readable.head)
})

const describe = (incarnation: string, shared: boolean): About => ({
  name: "file",
  durability: "disk",
  shared,
  ambiguous: false,
  lacks: new Set(),
  limits: defaultLimits,
  incarnation
})
