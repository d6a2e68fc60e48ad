/** The file backend: one directory as a `Backend`. */
import type { BackendShape, StoreError } from "@persist/core"
import { Backend } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import { type Config, settled } from "./config.ts"
import { type Disk, disk as realDisk } from "./disk.ts"
import { openForReading } from "./read-handle.ts"
import { openForWriting } from "./write-handle.ts"

/**
 * Opens a store, making it where there is none; it closes with the scope. One process writes it; any others may read it
 * meanwhile, with `readonly`. Fails, and changes nothing, with `Invalid` (a configuration, or a directory that is no
 * store and can't become one), `Unsupported` (a newer format), `Unavailable` (another process writes it, or the disk
 * fails), `Denied` (no permission), or `Corrupt` (damaged, with the file and the place in it).
 */
export const make = (config: Config): Effect.Effect<BackendShape, StoreError, Scope> => makeOn(realDisk, config)

/** A store in a directory as the `Backend`; fails to build as {@link make} says. */
export const layer = (config: Config): Layer.Layer<Backend, StoreError> => Layer.effect(Backend, make(config))

/** {@link make} on a disk of one's own: to see what becomes of a store where the disk fails. */
export const makeOn = Effect.fnUntraced(function*(disk: Disk, config: Config) {
  const settings = yield* settled(config)
  if (settings.readonly) return yield* openForReading(disk, settings)
  return (yield* openForWriting(disk, settings)).backend
}) satisfies (disk: Disk, config: Config) => Effect.Effect<BackendShape, StoreError, Scope>
