/** Opens a store for writing: its directory, its log, its index, in this order. */
import type { StoreError } from "@persist/core"
import { Corrupt, isStoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Scope } from "effect/Scope"
import { dirname, join } from "node:path"
import type { Settings } from "./config.ts"
import { inspectDirectory, places } from "./directory.ts"
import { type Disk, withFile } from "./disk.ts"
import { classify } from "./error.ts"
import { createIdentity, otherStore } from "./identity.ts"
import { Journal, type JournalOptions } from "./journal.ts"
import { acquireLock } from "./lock/lock.ts"
import { segmentHeader } from "./log/segment.ts"
import { emptyManifest, latestManifest, type Manifest, publishManifest, removeOutdated } from "./manifest.ts"
import { type Indexed, openIndex } from "./open-index.ts"
import { recover, sweep } from "./recover.ts"

/** A store that is open for writing. */
export interface OpenedStore extends Indexed {
  readonly journal: Journal
}

/** Runs what uses the disk; fails with what its failure means. */
export const attempt = <A>(directory: string, use: () => A): Effect.Effect<A, StoreError> =>
  Effect.try({
    try: use,
    catch: (cause) => isStoreError(cause) ? cause : classify("open", directory, cause)
  })

/** Opens a store for writing, or makes one. What a writer before it left undone is taken care of. */
export const openStore = Effect.fnUntraced(function*(disk: Disk, settings: Settings) {
  const directory = settings.path
  yield* attempt(directory, () => makeDirectory(disk, settings))
  const { held } = yield* acquireLock(disk, directory)
  const options: JournalOptions = { disk, directory, segmentBytes: settings.segmentBytes, held }
  const { journal, scanned, torn } = yield* Effect.acquireRelease(
    attempt(directory, () => openJournal(options)),
    (opened) => Effect.sync(() => opened.journal.close())
  )
  if (torn !== undefined) {
    yield* Effect.logWarning(
      `${torn.path} ended in ${torn.bytes} bytes of a commit that was never acknowledged: they were cut off at byte ` +
        `${torn.offset} and are kept in ${torn.kept}`
    )
  }
  const indexed = yield* openIndex(options, journal, scanned)
  return { ...indexed, journal } satisfies OpenedStore
}) satisfies (disk: Disk, settings: Settings) => Effect.Effect<OpenedStore, StoreError, Scope>

const makeDirectory = (disk: Disk, settings: Settings): void => {
  if (inspectDirectory(disk, settings) !== undefined || disk.look(settings.path) !== undefined) return
  disk.makeDirectory(settings.path)
  disk.syncDirectory(dirname(settings.path))
}

const openJournal = (options: JournalOptions) => {
  const { directory, disk } = options
  const identity = inspectDirectory(disk, { path: directory, readonly: false }) ?? createIdentity(disk, directory)
  const { index, log } = places(directory)
  disk.makeDirectory(log)
  disk.makeDirectory(index)
  // Before a newer one is published, so that who lists the directory meanwhile never takes one of these for the latest.
  removeOutdated(disk, directory)
  const before = manifestOf(disk, directory, identity)
  const manifest = fenced(options, before)
  try {
    return takeOver(options, manifest)
  } catch (cause) {
    if (manifest !== before) giveBack(options, manifest)
    throw cause
  }
}

const takeOver = (options: JournalOptions, manifest: Manifest) => {
  const { scanned, segment, torn } = recover(options, manifest)
  const journal = new Journal(options, manifest, segment)
  try {
    journal.publish({ usage: "open" })
    sweep(options, journal.manifest)
  } catch (cause) {
    journal.close()
    throw cause
  }
  return { journal, scanned, torn }
}

const manifestOf = (disk: Disk, directory: string, identity: string): Manifest => {
  const manifest = latestManifest(disk, directory)
  if (manifest === undefined) return newManifest(disk, directory, identity)
  if (manifest.identity !== identity) throw otherStore(directory)
  return manifest
}

const newManifest = (disk: Disk, directory: string, identity: string): Manifest => {
  const { log } = places(directory)
  const lost = disk.list(log).find((name) => size(disk, join(log, name)) > segmentHeader)
  if (lost === undefined) {
    // So that no loss of power keeps the first manifest and takes the directory of what it names.
    disk.syncDirectory(directory)
    return emptyManifest(identity)
  }
  throw new Corrupt({
    where: directory,
    reason: `there is no manifest, though there is a log (${lost})`,
    remedy: "restore the store from a backup"
  })
}

const size = (disk: Disk, path: string): number => withFile(disk, disk.open(path, "read"), disk.size)

// Before anything is read of what a dead writer left: from here on nobody believes what it may still write.
const fenced = ({ directory, disk }: JournalOptions, manifest: Manifest): Manifest => {
  if (manifest.usage === "closed") return manifest
  const next: Manifest = { ...manifest, usage: "fenced", number: manifest.number + 1 }
  publishManifest(disk, directory, next)
  return next
}

// Where taking over fails, nobody has gone on from what was found: who reads may believe again what the dead writer
// left. Where even that can't be said, or more was published, it stays as it is.
const giveBack = ({ directory, disk }: JournalOptions, manifest: Manifest): void => {
  Result.try(() => publishManifest(disk, directory, { ...manifest, usage: "open", number: manifest.number + 1 }))
}
