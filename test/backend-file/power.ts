/**
 * A disk that stops at any chosen operation, as a killed process does, and that can then lose what wasn't made durable,
 * as a loss of power does.
 */
import { type Disk, disk } from "@persist/backend-file/disk"
import * as Effect from "effect/Effect"
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { root } from "./place.ts"

// What every operation throws from the one on that the disk stops at.
class Stopped extends Error {
  override readonly name = "Stopped"
}

/** A disk that makes nothing durable: quick, for those who lose nothing, or for whom {@link Power} says what is lost. */
export const unsynced: Disk = {
  ...disk,
  sync: () => undefined,
  syncBeside: () => Effect.void,
  syncDirectory: () => undefined
}

/** A disk that can be stopped. */
export interface Power {
  readonly disk: Disk
  /** How many operations that change something were asked for. */
  readonly count: () => number
  /** From then on nothing works. Of the operation that it stops at, a write gets half of its bytes done. */
  readonly stopAt: (operation: number) => void
  /** Stopped now. */
  readonly stop: () => void
  /** Once it has stopped: takes back what wasn't made durable, each of it where `chance` says so. */
  readonly lose: (chance: () => boolean) => void
}

// A file that was changed: what was durable of it, through a descriptor of its own, whatever becomes of its names.
interface Changed {
  readonly fd: number
  durable: Buffer
  dirty: boolean
}

/** Makes such a disk over the real one. What is durable is what was synced by it: the real syncs would only take time. */
export const makePower = (): Power => {
  let operations = 0
  let last = Infinity
  const grave = mkdtempSync(join(root, "persist-grave-"))
  const byFd = new Map<number, Changed>()
  const changed = new Set<Changed>()
  let names: Array<{ readonly directory: string; readonly undo: () => void }> = []
  let buried = 0

  const alive = (): void => {
    if (++operations >= last) throw new Stopped(`stopped at operation ${operations}`)
  }
  const follow = (fd: number, path: string, durable: Buffer): number => {
    const file: Changed = { fd: openSync(path, "r+"), durable, dirty: false }
    byFd.set(fd, file)
    changed.add(file)
    return fd
  }
  const touch = (fd: number): void => {
    const file = byFd.get(fd)
    if (file !== undefined) file.dirty = true
  }
  const settle = (fd: number): void => {
    const file = byFd.get(fd)
    if (file === undefined || !file.dirty) return
    file.durable = contentOf(file.fd)
    file.dirty = false
  }
  const named = (path: string, undo: () => void): void => {
    names.push({ directory: dirname(path), undo })
  }
  // Keeps what a name stands for, so that it can be given back.
  const bury = (path: string): () => void => {
    const kept = join(grave, `${buried++}-${basename(path)}`)
    if (disk.look(path) === undefined) return () => rmSync(path, { force: true })
    linkSync(path, kept)
    return () => renameSync(kept, path)
  }

  return {
    disk: {
      ...disk,
      create: (path) => {
        alive()
        const fd = disk.create(path)
        named(path, () => rmSync(path))
        return follow(fd, path, Buffer.alloc(0))
      },
      open: (path, access) => {
        const fd = disk.open(path, access)
        return access === "read" ? fd : follow(fd, path, readFileSync(path))
      },
      write: (fd, bytes, offset) => {
        touch(fd)
        if (operations + 1 === last) disk.write(fd, bytes.subarray(0, bytes.byteLength >>> 1), offset)
        alive()
        disk.write(fd, bytes, offset)
      },
      sync: (fd) => {
        alive()
        settle(fd)
      },
      syncBeside: (fd) =>
        Effect.try({
          try: () => {
            alive()
            settle(fd)
          },
          catch: (cause) => cause
        }),
      truncate: (fd, length) => {
        alive()
        touch(fd)
        disk.truncate(fd, length)
      },
      rename: (from, to) => {
        alive()
        const back = bury(to)
        disk.rename(from, to)
        named(to, () => {
          copyName(to, from)
          back()
        })
      },
      link: (from, to) => {
        alive()
        disk.link(from, to)
        named(to, () => rmSync(to))
      },
      makeDirectory: (path) => {
        if (disk.look(path) !== undefined) return
        alive()
        disk.makeDirectory(path)
        named(path, () => rmSync(path, { recursive: true }))
      },
      remove: (path) => {
        alive()
        const back = bury(path)
        disk.remove(path)
        named(path, back)
      },
      syncDirectory: (path) => {
        alive()
        names = names.filter(({ directory }) => directory !== path)
      },
      close: (fd) => {
        byFd.delete(fd)
        disk.close(fd)
      }
    },
    count: () => operations,
    stopAt: (operation) => {
      last = operation
    },
    stop: () => {
      last = 0
    },
    lose: (chance) => {
      // A file system takes names back from the last one on.
      for (const { undo } of names.reverse()) {
        if (!chance()) break
        undo()
      }
      for (const { dirty, durable, fd } of changed) {
        if (dirty && chance()) {
          ftruncateSync(fd, 0)
          writeSync(fd, durable, 0, durable.byteLength, 0)
        }
        closeSync(fd)
      }
      rmSync(grave, { recursive: true })
    }
  }
}

const copyName = (from: string, to: string): void => {
  rmSync(to, { force: true })
  linkSync(from, to)
}

const contentOf = (fd: number): Buffer => {
  const bytes = Buffer.alloc(disk.size(fd))
  disk.read(fd, bytes, 0)
  return bytes
}
