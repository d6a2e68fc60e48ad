/** Reading a file from its beginning to its end in small pieces, without asking the system for each of them. */
import type { Disk } from "../disk.ts"

/** The same disk, reading `bytes` at a time and answering from those where it can; for files that don't change. */
export const readAhead = (disk: Disk, bytes: number): Disk => {
  const held = new Map<number, { readonly buffer: Buffer; offset: number; count: number }>()
  return {
    ...disk,
    read: (fd, into, offset) => {
      const ahead = held.get(fd) ?? { buffer: Buffer.allocUnsafeSlow(bytes), offset: 0, count: 0 }
      held.set(fd, ahead)
      if (offset < ahead.offset || offset + into.byteLength > ahead.offset + ahead.count) {
        if (into.byteLength > bytes) return disk.read(fd, into, offset)
        ahead.offset = offset
        ahead.count = disk.read(fd, ahead.buffer, offset)
      }
      const start = offset - ahead.offset
      const count = Math.min(into.byteLength, ahead.count - start)
      into.set(ahead.buffer.subarray(start, start + count))
      return count
    },
    close: (fd) => {
      held.delete(fd)
      disk.close(fd)
    }
  }
}
