/** Directories for stores, and the shortest ways to say what a commit does and what a store holds. */
import { make } from "@persist/backend-file"
import { type Disk, disk } from "@persist/backend-file/disk"
import { type ScannedSegment, scanOpen, sealedEnd } from "@persist/backend-file/log/scan"
import { latestManifest, publishManifest } from "@persist/backend-file/manifest"
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

// In memory where there is such a place: what isn't about the disk itself needn't wait for it.
const memory = "/dev/shm"

/** Where directories of tests are made. */
export const root = existsSync(memory) ? memory : tmpdir()

/** A directory of its own, removed with the scope. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(root, "persist-file-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** The path of a store that isn't there yet. */
export const newPath = Effect.map(directory, (path) => join(path, "data"))

/** Uses a handle and closes it again. */
export const visit = <A, E>(path: string, use: (backend: BackendShape) => Effect.Effect<A, E>) =>
  Effect.scoped(Effect.flatMap(make({ path }), use))

/** The segment that is written in a store, and its frames. */
export const openSegment = (path: string): ScannedSegment => {
  const manifest = latestManifest(disk, path)
  if (manifest?.open === undefined) throw new Error("there is no open segment")
  return scanOpen(disk, join(path, "log"), manifest.open, sealedEnd(manifest))
}

/** Says in a store, as whoever takes it over does first, that nobody may believe what its writer still writes. */
export const fence = (path: string): void => {
  const manifest = latestManifest(disk, path)
  if (manifest === undefined) throw new Error("there is no manifest")
  publishManifest(disk, path, { ...manifest, usage: "fenced", number: manifest.number + 1 })
}

/** Takes away the lock of a writer that came to its end, since its process is the test's own, which lives on. */
export const breakLock = (path: string): void => rmSync(join(path, "lock"), { recursive: true, force: true })

/** The real disk, whose next write to the log gets half done and fails, as on a full disk, once that's asked for. */
export const makeFuse = (): { readonly disk: Disk; readonly arm: () => void } => {
  let armed = false
  return {
    arm: () => {
      armed = true
    },
    disk: {
      ...disk,
      write: (fd, bytes, offset) => {
        if (!armed) return disk.write(fd, bytes, offset)
        armed = false
        disk.write(fd, bytes.subarray(0, bytes.length >> 1), offset)
        throw Object.assign(new Error("ENOSPC: no space left on device, write"), {
          errno: -28,
          code: "ENOSPC",
          syscall: "write"
        })
      }
    }
  }
}
