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

/** A disk that makes nothing durable: quick, for those who lose nothing or are told by {@link Power} what is lost. */
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
  /** Once it has stopped: takes back what wasn't made durable, each of it where `chance` says so. */
  readonly lose: (chance: () => boolean) => void
}

/** Makes such a disk over the real one. What it was asked to sync is durable: real syncs would only take time. */
export const makePower = (): Power => new Cut()

// A file that was changed: what was durable of it, through a descriptor of its own, whatever becomes of its names.
interface Changed {
  readonly fd: number
  durable: Buffer
  dirty: boolean
}

class Cut implements Power {
  private operations = 0
  private last = Infinity
  private readonly grave = mkdtempSync(join(root, "persist-grave-"))
  private readonly byFd = new Map<number, Changed>()
  private readonly changed = new Set<Changed>()
  private names: Array<{ readonly directory: string; readonly undo: () => void }> = []
  private buried = 0

  readonly disk: Disk = {
    ...unsynced,
    create: (path) => {
      this.operate()
      const fd = disk.create(path)
      this.named(path, () => rmSync(path))
      return this.follow(fd, path, Buffer.alloc(0))
    },
    open: (path, access) => {
      const fd = disk.open(path, access)
      return access === "read" ? fd : this.follow(fd, path, readFileSync(path))
    },
    write: (fd, bytes, offset) => {
      this.touch(fd)
      if (this.operations + 1 === this.last) disk.write(fd, bytes.subarray(0, bytes.byteLength >>> 1), offset)
      this.operate()
      disk.write(fd, bytes, offset)
    },
    sync: (fd) => {
      this.operate()
      this.settle(fd)
    },
    syncBeside: (fd) =>
      Effect.try({
        try: () => this.disk.sync(fd),
        catch: (cause) => cause instanceof Stopped ? cause : new Stopped(String(cause))
      }),
    truncate: (fd, length) => {
      this.operate()
      this.touch(fd)
      disk.truncate(fd, length)
    },
    rename: (from, to) => {
      this.operate()
      const back = this.bury(to)
      disk.rename(from, to)
      this.named(to, () => {
        rmSync(from, { force: true })
        linkSync(to, from)
        back()
      })
    },
    link: (from, to) => {
      this.operate()
      disk.link(from, to)
      this.named(to, () => rmSync(to))
    },
    makeDirectory: (path) => {
      if (disk.look(path) !== undefined) return
      this.operate()
      disk.makeDirectory(path)
      this.named(path, () => rmSync(path, { recursive: true }))
    },
    remove: (path) => {
      this.operate()
      const back = this.bury(path)
      disk.remove(path)
      this.named(path, back)
    },
    syncDirectory: (path) => {
      this.operate()
      this.names = this.names.filter(({ directory }) => directory !== path)
    },
    close: (fd) => {
      this.byFd.delete(fd)
      disk.close(fd)
    }
  }

  readonly count = (): number => this.operations

  readonly stopAt = (operation: number): void => {
    this.last = operation
  }

  readonly lose = (chance: () => boolean): void => {
    // A file system takes names back from the last one on.
    for (const { undo } of this.names.reverse()) {
      if (!chance()) break
      undo()
    }
    for (const { dirty, durable, fd } of this.changed) {
      if (dirty && chance()) {
        ftruncateSync(fd, 0)
        writeSync(fd, durable, 0, durable.byteLength, 0)
      }
      closeSync(fd)
    }
    rmSync(this.grave, { recursive: true })
  }

  private operate(): void {
    if (++this.operations >= this.last) throw new Stopped(`stopped at operation ${this.operations}`)
  }

  private follow(fd: number, path: string, durable: Buffer): number {
    const file: Changed = { fd: openSync(path, "r+"), durable, dirty: false }
    this.byFd.set(fd, file)
    this.changed.add(file)
    return fd
  }

  private touch(fd: number): void {
    const file = this.byFd.get(fd)
    if (file !== undefined) file.dirty = true
  }

  private settle(fd: number): void {
    const file = this.byFd.get(fd)
    if (file === undefined || !file.dirty) return
    file.durable = contentOf(file.fd)
    file.dirty = false
  }

  private named(path: string, undo: () => void): void {
    this.names.push({ directory: dirname(path), undo })
  }

  // Keeps what a name stands for, so that it can be given back.
  private bury(path: string): () => void {
    if (disk.look(path) === undefined) return () => rmSync(path, { force: true })
    const kept = join(this.grave, `${this.buried++}-${basename(path)}`)
    linkSync(path, kept)
    return () => renameSync(kept, path)
  }
}

const contentOf = (fd: number): Buffer => {
  const bytes = Buffer.alloc(disk.size(fd))
  disk.read(fd, bytes, 0)
  return bytes
}
