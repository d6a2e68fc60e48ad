/** A run's last bytes: which format it has, where its root and its filter are, and the sum that vouches for both. */
import { crc32 } from "node:zlib"

/** What a footer says. */
export interface Footer {
  /** A number of this run's own, that its checksums start with. */
  readonly salt: number
  /** Where the root block is. */
  readonly root: BlockPlace
  /** How many levels of blocks there are above those with the entries. */
  readonly height: number
  /** Where the filter's pages are, after all blocks. */
  readonly filterAt: number
  readonly filterPages: number
  /** How many keys, deletions included, and how many hashes the filter was told. */
  readonly entries: number
  readonly hashes: number
}

/** Where a block is in its file. */
export interface BlockPlace {
  readonly offset: number
  readonly length: number
}

/** The size of a footer. */
export const footerBytes = 64

/** The format of runs that this version reads and writes. */
export const runFormat = 1

const magic = Buffer.from("persistR")
const sumAt = footerBytes - 4

/** Encodes a footer; integers are little-endian. */
export const encodeFooter = (footer: Footer): Buffer => {
  const bytes = Buffer.alloc(footerBytes)
  magic.copy(bytes)
  bytes.writeUInt16LE(runFormat, 8)
  bytes.writeUInt16LE(footer.height, 10)
  bytes.writeUInt32LE(footer.salt, 12)
  bytes.writeUIntLE(footer.root.offset, 16, 6)
  bytes.writeUInt32LE(footer.root.length, 22)
  bytes.writeUIntLE(footer.filterAt, 26, 6)
  bytes.writeUInt32LE(footer.filterPages, 32)
  bytes.writeUIntLE(footer.entries, 36, 6)
  bytes.writeUIntLE(footer.hashes, 42, 6)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, sumAt)), sumAt)
  return bytes
}

/** A footer's checksum: the one that the manifest lists. */
export const footerSum = (bytes: Buffer): number => bytes.readUInt32LE(sumAt)

/** Reads a footer with the checksum that the manifest lists; a text says why these bytes are none. */
export const decodeFooter = (bytes: Buffer, sum: number): Footer | string => {
  if (crc32(bytes.subarray(0, sumAt)) !== footerSum(bytes)) return "the footer's checksum doesn't match"
  if (footerSum(bytes) !== sum) return "the footer is another run's"
  if (!bytes.subarray(0, magic.byteLength).equals(magic)) return "the file is no run"
  const format = bytes.readUInt16LE(8)
  if (format !== runFormat) return `the run has format ${format}, which this version doesn't read`
  return {
    height: bytes.readUInt16LE(10),
    salt: bytes.readUInt32LE(12),
    root: { offset: bytes.readUIntLE(16, 6), length: bytes.readUInt32LE(22) },
    filterAt: bytes.readUIntLE(26, 6),
    filterPages: bytes.readUInt32LE(32),
    entries: bytes.readUIntLE(36, 6),
    hashes: bytes.readUIntLE(42, 6)
  }
}
