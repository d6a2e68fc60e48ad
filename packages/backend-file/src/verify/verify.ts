/** Verifies a store's directory: every byte that makes it up, and, whatever is damaged, to the end. */
import { isStoreError, Position, type StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { join, resolve } from "node:path"
import { inspectDirectory, places } from "../directory.ts"
import { type Disk, disk as realDisk } from "../disk.ts"
import { identityOf } from "../identity.ts"
import { everyKey } from "../key.ts"
import { sealedEnd } from "../log/scan.ts"
import { fileOf } from "../log/segment.ts"
import { isHalfDamaged, isOutdated, latestManifest, type Manifest, manifestFile } from "../manifest.ts"
import { attempt } from "../open-store.ts"
import { openView } from "../tree/open-tree.ts"
import { DamagedRun, type RunInfo } from "../tree/tree.ts"
import { type Damage, Findings, gone, unreadable } from "./finding.ts"
import { verifyOpen, verifySealed } from "./segment.ts"
import { unlisted, verifyUnlisted } from "./unlisted.ts"

/** What is in a store's directory, and what is wrong with it. */
export interface Verified {
  readonly damages: ReadonlyArray<Damage>
  /** Files in which openings have kept what they cut off the log. */
  readonly kept: ReadonlyArray<string>
  /** Bytes behind the end of the log that are no whole frame: being written, or cut off when it's next opened. */
  readonly unfinished: number
  readonly segments: number
  /** Frames that are whole. */
  readonly frames: number
  /** Records that are what was written, also those in damaged frames. */
  readonly records: number
  readonly runs: number
  /** Entries of the index's runs. */
  readonly entries: number
}

/** Told how many of how many files were looked at. */
export type OnVerified = (done: number, whole: number) => void

/**
 * Looks at everything in a store's directory and changes nothing; its writer may go on meanwhile. Of a frame that is
 * damaged each record is looked at, and then the frames behind it; where the manifest is lost or damaged, every segment
 * that there is. Fails where there is no store, and where the directory or the manifest can't be read.
 */
export const verify = (
  path: string,
  onVerified: OnVerified = () => undefined,
  disk: Disk = realDisk
): Effect.Effect<Verified, StoreError> => {
  const directory = resolve(path)
  return Effect.gen(function*() {
    const findings = new Findings()
    const manifest = yield* attempt(directory, () => manifestOf(disk, directory, findings))
    yield* look({ disk, directory, findings, onVerified }, manifest)
    if (manifest === undefined) return summary(findings, disk, directory)
    // Its writer may have taken away what that manifest lists, or have come to its end with taking over: then the next
    // one is looked at.
    const stale = findings.damages.some(({ reason }) => reason === gone || reason === takenOver) &&
      (yield* attempt(directory, () => isOutdated(disk, directory, manifest.number)))
    return stale ? yield* verify(path, onVerified, disk) : summary(findings, disk, directory)
  })
}

const takenOver = "somebody has begun to take the store over and hasn't come to an end: what was acknowledged last " +
  "isn't told until it's opened for writing"

// The manifest, `undefined` where which files make up the store can't be told: that is noted.
const manifestOf = (disk: Disk, directory: string, findings: Findings): Manifest | undefined => {
  const identity = noting(findings, () => inspectDirectory(disk, { path: directory, readonly: true }))
  const manifest = noting(findings, () => latestManifest(disk, directory))
  if (manifest === undefined) return undefined
  if (identity !== manifest.identity) {
    // More can be said of it than was noted by itself.
    const [store] = findings.damages.splice(0)
    findings.add(
      join(directory, "store"),
      0,
      `${store?.reason ?? "it says that this is another store"}: ${rightly(manifest)}`
    )
  }
  noteCopies(disk, directory, manifest, findings)
  if (manifest.usage === "fenced") {
    findings.add(join(directory, manifestFile(manifest.number)), 0, takenOver)
  }
  return manifest
}

const rightly = ({ identity }: Manifest): string => `it should hold ${JSON.stringify(identityOf(identity))}`

const noteCopies = (disk: Disk, directory: string, { number }: Manifest, findings: Findings): void => {
  const path = join(directory, manifestFile(number))
  const looked = Result.try({ try: () => isHalfDamaged(disk, directory, number), catch: unreadable })
  // One that is gone was replaced by the next one.
  if (Result.isSuccess(looked) && looked.success) {
    findings.add(
      path,
      0,
      "one of its two copies is damaged; it's written anew when the store is next opened for writing"
    )
  }
}

// What is damaged is noted, and the rest is looked at all the same.
const noting = <A>(findings: Findings, use: () => A): A | undefined => {
  try {
    return use()
  } catch (cause) {
    if (!(isStoreError(cause) && cause._tag === "Corrupt")) throw cause
    const [path = cause.where] = cause.where.split(", at byte ")
    findings.add(path, 0, cause.reason)
    return undefined
  }
}

interface Looking {
  readonly disk: Disk
  readonly directory: string
  readonly findings: Findings
  readonly onVerified: OnVerified
}

const look = Effect.fnUntraced(function*(looking: Looking, manifest: Manifest | undefined) {
  const { directory, onVerified } = looking
  const steps = yield* attempt(
    directory,
    () => manifest === undefined ? unlistedSteps(looking) : listedSteps(looking, manifest)
  )
  let done = 0
  // One file after the other, so that whoever else has something to do gets round to it.
  for (const step of steps) {
    yield* attempt(directory, () => {
      step()
      onVerified(++done, steps.length)
    })
    yield* Effect.yieldNow
  }
})

type Steps = ReadonlyArray<() => void>

const listedSteps = ({ directory, disk, findings }: Looking, manifest: Manifest): Steps => {
  const { identity, open, runs, sealed, usage } = manifest
  const { index, log } = places(directory)
  const verifying = { disk, directory: log, findings }
  const since = (n: number) => sealedEnd({ identity, sealed: sealed.slice(Math.max(0, n - 1), n) })
  return [
    ...sealed.map((segment, n) => () => verifySealed(verifying, segment, since(n))),
    ...open === undefined ? [] : [() => verifyOpen(verifying, open, usage, sealedEnd(manifest))],
    ...runs.map((run) => () => verifyRun(disk, index, run, findings))
  ]
}

const unlistedSteps = ({ directory, disk, findings }: Looking): Steps => {
  const verifying = { disk, directory: places(directory).log, findings }
  let next: number | undefined = 1
  const names = unlisted(verifying)
  return names.map((name) => () => {
    const path = join(verifying.directory, fileOf(name))
    if (next !== undefined && name.first > next) {
      findings.add(path, 0, "the segment before it is missing", Position(next), Position(name.first - 1))
    }
    const last = verifyUnlisted(verifying, name)
    next = last === undefined ? undefined : last + 1
  })
}

const madeAnew = "remove the file, and the index is made anew when the store is next opened for writing"

// Read whole and looked up key by key, which is by another way.
const verifyRun = (disk: Disk, directory: string, run: RunInfo, findings: Findings): void => {
  findings.runs++
  try {
    const view = openView({ directory, disk, runs: [run] })
    try {
      for (const { key } of view.range(everyKey)) {
        view.get(key)
        findings.entries++
      }
    } finally {
      view.close()
    }
  } catch (cause) {
    if (!(cause instanceof DamagedRun)) return findings.add(join(directory, run.file), 0, unreadable(cause))
    // The log has all that it tells.
    findings.add(cause.path, cause.offset, cause.missing ? gone : `${cause.reason}; ${madeAnew}`)
  }
}

const summary = (findings: Findings, disk: Disk, directory: string): Verified => {
  const { damages, entries, frames, records, runs, segments, unfinished } = findings
  const { cut } = places(directory)
  const kept = disk.look(cut) === undefined ? [] : disk.list(cut).toSorted().map((name) => join(cut, name))
  return { damages, kept, unfinished, segments, frames, records, runs, entries }
}
