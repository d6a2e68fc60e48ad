/** A run that is read: by key through its filter, or passed over in order. Nothing is read before it's asked for. */
import { join } from "node:path"
import type { Disk } from "../disk.ts"
import type { Key } from "../key.ts"
import type { BlockCache, Shelf } from "./block-cache.ts"
import { Block, type Held } from "./block.ts"
import { isWhole, type KeyHash, mayHold, pageBytes, pageOf } from "./filter.ts"
import { type BlockPlace, decodeFooter, type Footer, footerBytes } from "./footer.ts"
import { DamagedRun, type RunInfo } from "./tree.ts"
import { varintAt, varintEnd } from "./varint.ts"

/** What is held of runs in memory: blocks, and pages of filters. */
export type RunCache = BlockCache<Block | Buffer>

/** What the runs of a tree have in common. */
export interface RunPlace {
  readonly directory: string
  readonly disk: Disk
  readonly cache: RunCache
}

/** A run, open. Whatever reads throws {@link DamagedRun} where the file isn't what was written. */
export class Run {
  readonly info: RunInfo
  readonly footer: Footer
  private readonly place: RunPlace
  private readonly fd: number
  private readonly shelf: Shelf<Block | Buffer>

  private constructor(info: RunInfo, place: RunPlace, fd: number, footer: Footer) {
    this.info = info
    this.place = place
    this.fd = fd
    this.footer = footer
    this.shelf = place.cache.shelf()
  }

  /** Opens a run by its footer; throws {@link DamagedRun} where it's missing or isn't the one that is listed. */
  static open(info: RunInfo, place: RunPlace): Run {
    const path = join(place.directory, info.file)
    const fd = openFile(place.disk, path)
    try {
      const footer = readFooter(place.disk, fd, info)
      if (typeof footer !== "string") return new Run(info, place, fd, footer)
      throw new DamagedRun({ path, offset: Math.max(0, info.bytes - footerBytes), reason: footer, missing: false })
    } catch (cause) {
      place.disk.close(fd)
      throw cause
    }
  }

  /** What the run has of a key; `undefined` where it doesn't tell of it. */
  get(key: Key, hash: KeyHash): Held | undefined {
    if (!this.mayHold(hash)) return undefined
    let block = this.block(this.footer.root)
    for (let level = this.footer.height; level > 0; level--) {
      const at = block.ceiling(key)
      const child = block.holds(at, key) ? at : at - 1
      if (child < 0) return undefined
      block = this.child(block, child)
    }
    const at = block.ceiling(key)
    return block.holds(at, key) ? block.value(at) : undefined
  }

  /** Whether the run may tell of a key, or of keys with a head, that has this hash. */
  mayHold(hash: KeyHash): boolean {
    const { filterAt, filterPages } = this.footer
    return mayHold(this.filterPage(filterAt + pageOf(hash, filterPages) * pageBytes), hash)
  }

  /** The block at the top: with the entries themselves where `footer.height` is 0. */
  get root(): Block {
    return this.block(this.footer.root)
  }

  /** The block that an entry of a block above the lowest level stands for. */
  child(block: Block, i: number): Block {
    const bytes = block.value(i) ?? Buffer.alloc(2)
    return this.block({ offset: varintAt(bytes, 0), length: varintAt(bytes, varintEnd(bytes, 0)) })
  }

  close(): void {
    this.place.cache.drop(this.shelf)
    this.place.disk.close(this.fd)
  }

  private block({ length, offset }: BlockPlace): Block {
    const held = this.place.cache.get(this.shelf, offset)
    if (held instanceof Block) return held
    const block = Block.of(this.read(offset, length), this.footer.salt, offset)
    if (block === undefined) throw this.damage(offset, "a block's checksum doesn't match")
    this.place.cache.add(this.shelf, offset, block)
    return block
  }

  private filterPage(offset: number): Buffer {
    const held = this.place.cache.get(this.shelf, offset)
    if (held instanceof Buffer) return held
    const page = this.read(offset, pageBytes)
    if (!isWhole(page, this.footer.salt, offset)) throw this.damage(offset, "a filter's checksum doesn't match")
    this.place.cache.add(this.shelf, offset, page)
    return page
  }

  private read(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    const count = this.place.disk.read(this.fd, bytes, offset)
    if (count < length) throw this.damage(offset, "the file ends too early")
    return bytes
  }

  private damage(offset: number, reason: string): DamagedRun {
    return new DamagedRun({ path: join(this.place.directory, this.info.file), offset, reason, missing: false })
  }
}

/** Opens several runs, or none of them: throws `DamagedRun` for the first that can't be had. */
export const openRuns = (infos: ReadonlyArray<RunInfo>, place: RunPlace): ReadonlyArray<Run> => {
  const runs: Array<Run> = []
  try {
    for (const info of infos) runs.push(Run.open(info, place))
    return runs
  } catch (cause) {
    for (const run of runs) run.close()
    throw cause
  }
}

const openFile = (disk: Disk, path: string): number => {
  try {
    return disk.open(path, "read")
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "ENOENT")) throw cause
    throw new DamagedRun({ path, offset: 0, reason: "the file is missing", missing: true })
  }
}

const readFooter = (disk: Disk, fd: number, { bytes, sum }: RunInfo): Footer | string => {
  const size = disk.size(fd)
  if (size !== bytes) return `the file has ${size} bytes instead of ${bytes}`
  const footer = Buffer.alloc(footerBytes)
  return disk.read(fd, footer, bytes - footerBytes) < footerBytes
    ? "the file is too short for a run"
    : decodeFooter(footer, sum)
}
