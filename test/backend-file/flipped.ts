/** A store on a disk that reads one byte of one file as another. */
import { type Disk, disk } from "@persist/backend-file/disk"
import { makeOn } from "@persist/backend-file/layer"
import { append, commit } from "@persist/conformance/given"
import * as Effect from "effect/Effect"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { contents, history } from "./history.ts"
import { newPath } from "./place.ts"
import { unsynced } from "./power.ts"

/** A disk on which one byte of one file reads as another. */
export const flipped = (path: string, byte: number, mask: number): Disk => {
  const fds = new Set<number>()
  return {
    ...unsynced,
    open: (at, access) => {
      const fd = disk.open(at, access)
      if (at === path) fds.add(fd)
      return fd
    },
    close: (fd) => {
      fds.delete(fd)
      disk.close(fd)
    },
    read: (fd, into, offset) => {
      const count = disk.read(fd, into, offset)
      const at = byte - offset
      if (fds.has(fd) && at >= 0 && at < count) into[at] = (into[at] ?? 0) ^ mask
      return count
    }
  }
}

const filesOf = (path: string): ReadonlyArray<string> =>
  readdirSync(path, { recursive: true, encoding: "utf8" }).map((name) => join(path, name))
    // The lock isn't part of what a store holds.
    .filter((file) => statSync(file).isFile() && !file.includes("/lock/")).toSorted()

/** A store of several segments and runs, and an open one. */
export const written = Effect.gen(function*() {
  const path = yield* newPath
  const truth = yield* Effect.scoped(Effect.gen(function*() {
    const backend = yield* makeOn(unsynced, { path, segmentBytes: 1024 })
    for (const batch of history) yield* backend.commit(batch)
    for (let n = 0; n < 2; n++) yield* backend.commit([commit({ append: [append("many", `${n}`)] })])
    return yield* contents(backend)
  }))
  return { path, truth, files: filesOf(path) }
})
