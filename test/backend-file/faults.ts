/** A disk one of whose operations fails, as the system would make it fail. */
import { type Disk, disk } from "@persist/backend-file/disk"
import * as Effect from "effect/Effect"

/** What the system throws. */
export const systemError = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${code}: injected, ${syscall}`), { errno: -1, code, syscall })

/** A disk that can fail, and how often it was asked for something that changes it. */
export interface FaultyDisk {
  readonly disk: Disk
  readonly count: () => number
  /** The operation that failed, once one did. */
  readonly failed: () => string | undefined
}

/** The real disk, but the operation of this number fails with this code; a write gets half done before. */
export const faultyDisk = (number: number, code: string): FaultyDisk => {
  let count = 0
  let failed: string | undefined
  const fails = (operation: string): boolean => {
    if (++count !== number) return false
    failed = operation
    return true
  }
  const attempt = (operation: string, use: () => void): void => {
    if (fails(operation)) throw systemError(code, operation)
    use()
  }
  return {
    count: () => count,
    failed: () => failed,
    disk: {
      ...disk,
      create: (path) => {
        if (fails("create")) throw systemError(code, "open")
        return disk.create(path)
      },
      write: (fd, bytes, offset) => {
        if (fails("write")) {
          disk.write(fd, bytes.subarray(0, bytes.length >> 1), offset)
          throw systemError(code, "write")
        }
        disk.write(fd, bytes, offset)
      },
      sync: () => attempt("fdatasync", () => undefined),
      syncBeside: () => fails("fdatasync beside") ? Effect.fail(systemError(code, "fdatasync")) : Effect.void,
      truncate: (fd, length) => attempt("ftruncate", () => disk.truncate(fd, length)),
      rename: (from, to) => attempt("rename", () => disk.rename(from, to)),
      link: (from, to) => attempt("link", () => disk.link(from, to)),
      remove: (path) => attempt("unlink", () => disk.remove(path)),
      makeDirectory: (path) => attempt("mkdir", () => disk.makeDirectory(path)),
      syncDirectory: () => attempt("fsync", () => undefined)
    }
  }
}
