/** The file operations that a store is made of: one small port, so that a test can stop between any two of them. */
import * as Effect from "effect/Effect"
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync
} from "node:fs"

/** What tells a file from others, and whether somebody still uses it. */
export interface Status {
  /** The same as long as this file is there or open, whatever it's called; another one's may be the same after that. */
  readonly inode: string
  /** When it was written or touched last. Only that it changes means something: clocks differ. */
  readonly touched: string
}

/** What the store asks of a file system. Whatever fails throws Node's own error, whose `code` says why. */
export interface Disk {
  /** Makes a new file, open for reading and writing; `EEXIST` where there is one already. */
  readonly create: (path: string) => number
  /** Opens a file that exists: for reading, or for both. */
  readonly open: (path: string, access: "read" | "write") => number
  /** Fills `into` from `offset` on; answers how many bytes there were, fewer only at the end of the file. */
  readonly read: (fd: number, into: Uint8Array, offset: number) => number
  /** Writes all of the bytes at `offset`. */
  readonly write: (fd: number, bytes: Uint8Array, offset: number) => void
  /** Makes the file's content durable (`fdatasync`), with the event loop stopped meanwhile. */
  readonly sync: (fd: number) => void
  /** The same on another thread: for files that nobody waits for. An interruption waits until it's done. */
  readonly syncBeside: (fd: number) => Effect.Effect<void, unknown>
  readonly truncate: (fd: number, length: number) => void
  readonly size: (fd: number) => number
  /** Whether a file that is open still has a name: what is written to one without is lost. */
  readonly isNamed: (fd: number) => boolean
  /** What's to be known of a file that is open, or at a path. */
  readonly status: (file: number | string) => Status
  /** Notes the present time as that of the last change of an open file. */
  readonly touch: (fd: number) => void
  readonly close: (fd: number) => void
  /** Replaces whatever is at `to`; durable after {@link syncDirectory}. */
  readonly rename: (from: string, to: string) => void
  /** Gives a file another name; `EEXIST` where that is taken: of several who try, one does it. */
  readonly link: (from: string, to: string) => void
  /** What is at a path; `undefined` where nothing is. */
  readonly look: (path: string) => "file" | "directory" | "other" | undefined
  /** Makes a directory whose parent exists; one that is there already is no fault. */
  readonly makeDirectory: (path: string) => void
  /** Removes a file; one that isn't there is no fault. */
  readonly remove: (path: string) => void
  /** Names in a directory, in no order. */
  readonly list: (path: string) => ReadonlyArray<string>
  /** Makes what was created, renamed and removed in a directory durable. */
  readonly syncDirectory: (path: string) => void
}

// Node refuses lengths of 2 GiB and more.
const mostAtOnce = 2 ** 30

// Linux tells it by the link of the descriptor. To ask for the file's status is to ask for its times, too, and since
// Linux 6.13 a write that comes after that notes a new one at once, which the flush behind it has to write as well: on
// ext4 it took 161 µs instead of 107.
const isNamed = (fd: number): boolean => {
  const link = process.platform === "linux" ? linkOf(fd) : undefined
  return link === undefined ? fstatSync(fd).nlink > 0 : !link.endsWith(" (deleted)")
}

// Undefined where there is no /proc.
const linkOf = (fd: number): string | undefined => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined
  }
}

/** The disk itself, by `node:fs`. */
export const disk: Disk = {
  create: (path) => openSync(path, "wx+"),
  open: (path, access) => openSync(path, access === "read" ? "r" : "r+"),
  read: (fd, into, offset) => {
    let done = 0
    while (done < into.byteLength) {
      const count = readSync(fd, into, done, Math.min(mostAtOnce, into.byteLength - done), offset + done)
      if (count === 0) break
      done += count
    }
    return done
  },
  write: (fd, bytes, offset) => {
    let done = 0
    while (done < bytes.byteLength) {
      done += writeSync(fd, bytes, done, Math.min(mostAtOnce, bytes.byteLength - done), offset + done)
    }
  },
  sync: fdatasyncSync,
  syncBeside: (fd) =>
    Effect.uninterruptible(Effect.callback<void, unknown>((resume) => {
      fdatasync(fd, (error) => resume(error === null ? Effect.void : Effect.fail(error)))
    })),
  truncate: ftruncateSync,
  size: (fd) => fstatSync(fd).size,
  isNamed,
  status: (file) => {
    const options = { bigint: true } as const
    const { dev, ino, mtimeNs } = typeof file === "number" ? fstatSync(file, options) : statSync(file, options)
    return { inode: `${dev}:${ino}`, touched: String(mtimeNs) }
  },
  touch: (fd) => {
    const now = new Date()
    futimesSync(fd, now, now)
  },
  close: closeSync,
  rename: renameSync,
  link: linkSync,
  look: (path) => {
    const found = statSync(path, { throwIfNoEntry: false })
    return found === undefined ? undefined : found.isFile() ? "file" : found.isDirectory() ? "directory" : "other"
  },
  makeDirectory: (path) => {
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return
    try {
      mkdirSync(path)
    } catch (cause) {
      // Another process may have made it since.
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw cause
    }
  },
  remove: (path) => rmSync(path, { force: true }),
  list: (path) => readdirSync(path),
  syncDirectory: (path) => {
    const fd = openSync(path, "r")
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
}

/** Uses a file and closes it again. */
export const withFile = <A>(on: Disk, fd: number, use: (fd: number) => A): A => {
  try {
    return use(fd)
  } finally {
    on.close(fd)
  }
}

/** All that a file holds. */
export const readFile = (on: Disk, path: string): Buffer =>
  withFile(on, on.open(path, "read"), (fd) => {
    const bytes = Buffer.allocUnsafeSlow(on.size(fd))
    return bytes.subarray(0, on.read(fd, bytes, 0))
  })

/** Makes a new file with a content that is durable; its name is so after {@link Disk.syncDirectory}. */
export const writeFile = (on: Disk, path: string, bytes: Uint8Array): void =>
  withFile(on, on.create(path), (fd) => {
    on.write(fd, bytes, 0)
    on.sync(fd)
  })
