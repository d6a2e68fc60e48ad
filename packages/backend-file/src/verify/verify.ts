/** Verifies a store's directory: every byte that makes it up, and, whatever is damaged, to the end. */
import type { StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import { join, resolve } from "node:path"
import { inspectDirectory, places } from "../directory.ts"
import { type Disk, disk as realDisk } from "../disk.ts"
import { otherStore } from "../identity.ts"
import { everyKey } from "../key.ts"
import { rootOf } from "../log/scan.ts"
import { isOutdated, latestManifest, type Manifest } from "../manifest.ts"
import { attempt } from "../open-store.ts"
import { openView } from "../tree/open-tree.ts"
import { DamagedRun, type RunInfo } from "../tree/tree.ts"
import { type Damage, Findings } from "./finding.ts"
import { gone, verifyOpen, verifySealed } from "./segment.ts"

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
 * damaged each record is looked at, and then the frames behind it. Fails where there is no store, or where it can't be
 * told which files make it up: its identity or its manifest is damaged.
 */
export const verify = (
  path: string,
  onVerified: OnVerified = () => undefined,
  disk: Disk = realDisk
): Effect.Effect<Verified, StoreError> => {
  const directory = resolve(path)
  return Effect.gen(function*() {
    const manifest = yield* attempt(directory, () => manifestOf(disk, directory))
    if (manifest === undefined) return summary(new Findings(), disk, directory)
    const findings = yield* look(disk, directory, manifest, onVerified)
    // Its writer may have taken away what that manifest lists: then the next one is looked at.
    const stale = findings.damages.some(({ reason }) => reason === gone) &&
      (yield* attempt(directory, () => isOutdated(disk, directory, manifest.number)))
    return stale ? yield* verify(path, onVerified, disk) : summary(findings, disk, directory)
  })
}

const manifestOf = (disk: Disk, directory: string): Manifest | undefined => {
  const identity = inspectDirectory(disk, { path: directory, readonly: true })
  const manifest = latestManifest(disk, directory)
  if (manifest !== undefined && manifest.identity !== identity) throw otherStore(directory)
  return manifest
}

const look = Effect.fnUntraced(function*(disk: Disk, directory: string, manifest: Manifest, onVerified: OnVerified) {
  const { identity, open, runs, sealed, usage } = manifest
  const { index, log } = places(directory)
  const findings = new Findings()
  const verifying = { disk, directory: log, findings }
  const whole = sealed.length + (open === undefined ? 0 : 1) + runs.length
  let done = 0
  // One file after the other, so that whoever else has something to do gets round to it.
  const step = (use: () => void) =>
    Effect.andThen(
      attempt(directory, () => {
        use()
        onVerified(++done, whole)
      }),
      Effect.yieldNow
    )
  let since = rootOf(identity)
  for (const segment of sealed) {
    const before = since
    yield* step(() => verifySealed(verifying, segment, before))
    since = { head: segment.last, chain: Buffer.from(segment.chain, "hex") }
  }
  if (open !== undefined) yield* step(() => verifyOpen(verifying, open, usage, since))
  for (const run of runs) yield* step(() => verifyRun(disk, index, run, findings))
  return findings
})

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
    if (!(cause instanceof DamagedRun)) throw cause
    findings.add(
      cause.path,
      cause.offset,
      cause.missing ? gone : `${cause.reason}; the index is made anew from the log`
    )
  }
}

const summary = (findings: Findings, disk: Disk, directory: string): Verified => {
  const { damages, entries, frames, records, runs, segments, unfinished } = findings
  const { cut } = places(directory)
  const kept = disk.look(cut) === undefined ? [] : disk.list(cut).toSorted().map((name) => join(cut, name))
  return { damages, kept, unfinished, segments, frames, records, runs, entries }
}
