/** What is left of a directory where the power goes: what was synced, and of the rest nothing, or some of it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Dice } from "./dice.ts"
import type { Call } from "./shim.ts"

// What a disk writes at once: 512 bytes on those that promise least.
const sector = 512

/** What a name stands for. */
interface Entry {
  /** Tells files apart by whatever name: the inode's number, and when it began, since numbers are used again. */
  readonly inode: string
  readonly isDirectory: boolean
}

/** What a power loss at one moment would leave. */
export interface Remainder {
  /** Names that are on the disk, and the contents of files that are. */
  readonly names: ReadonlyMap<string, Entry>
  readonly contents: ReadonlyMap<string, Buffer>
  /** Names as they are for processes, and a copy of the directory as they see it. */
  readonly now: ReadonlyMap<string, Entry>
  readonly image: string
}

/**
 * Follows a directory call by call, and knows what would be there after a loss of power. It grants no more than POSIX
 * does: a file's content is what it was at its last sync, and a name is what it was when its directory was last synced.
 */
export class Remains {
  private readonly directory: string
  private readonly names: Map<string, Entry>
  private readonly contents: Map<string, Buffer>

  /** All of the directory is on the disk, or what there is of what it was copied from. */
  constructor(directory: string, from?: Remainder) {
    this.directory = directory
    const now = list(directory)
    const renamed = new Map(Array.from(from?.now ?? [], ([path, { inode }]) => [inode, now.get(path)?.inode ?? inode]))
    const own = (inode: string) => renamed.get(inode) ?? inode
    this.names = new Map(
      Array.from(from?.names ?? now, ([path, entry]) => [path, { ...entry, inode: own(entry.inode) }])
    )
    this.contents = from === undefined
      ? new Map([...now].flatMap(([path, entry]) => entry.isDirectory ? [] : [[entry.inode, this.read(path)]]))
      : new Map(Array.from(from.contents, ([inode, content]) => [own(inode), content]))
  }

  /** Takes note of a call that is about to be made. The process stands still, so what is there now is what it syncs. */
  onCall({ name, path }: Call): void {
    if (name !== "fsync" && name !== "fdatasync") return
    const now = list(this.directory)
    const entry = now.get(path)
    if (entry?.isDirectory === false) this.contents.set(entry.inode, this.read(path))
    else {
      for (const inner of this.names.keys()) if (dirname(inner) === path) this.names.delete(inner)
      for (const [inner, one] of now) if (dirname(inner) === path) this.names.set(inner, one)
    }
  }

  /** What would be left at this moment; `image` is a copy of the directory. */
  at(image: string): Remainder {
    return { names: new Map(this.names), contents: new Map(this.contents), now: list(this.directory), image }
  }

  private read(path: string): Buffer {
    return readFileSync(join(this.directory, path))
  }
}

/** Writes what is left to an empty directory: only what was synced, or, with dice, any sectors and names beyond it. */
export const writeRemainder = ({ contents, image, names, now }: Remainder, to: string, dice?: Dice): void => {
  // Directories come before what is in them, and without its directory a file isn't there.
  for (const path of [...new Set([...names.keys(), ...now.keys()])].sort()) {
    const entry = dice?.percent(50) === true ? now.get(path) : names.get(path)
    if (entry === undefined || !existsSync(join(to, dirname(path)))) continue
    if (entry.isDirectory) mkdirSync(join(to, path))
    else {
      const synced = contents.get(entry.inode) ?? Buffer.alloc(0)
      const isThere = now.get(path)?.inode === entry.inode
      const content = dice !== undefined && isThere ? mix(synced, readFileSync(join(image, path)), dice) : synced
      writeFileSync(join(to, path), content)
    }
  }
}

const mix = (synced: Buffer, current: Buffer, dice: Dice): Buffer => {
  const mixed = Buffer.alloc(dice.percent(50) ? current.length : synced.length)
  for (let at = 0; at < mixed.length; at += sector) {
    const from = dice.percent(50) ? current : synced
    if (at < from.length) from.copy(mixed, at, at, at + sector)
  }
  return mixed
}

/** Every name below a directory, from there. */
const list = (directory: string): Map<string, Entry> =>
  new Map(
    readdirSync(directory, { recursive: true, withFileTypes: true }).map((entry) => {
      const full = join(entry.parentPath, entry.name)
      const { birthtimeNs, ino } = statSync(full, { bigint: true })
      return [full.slice(directory.length + 1), { inode: `${ino} of ${birthtimeNs}`, isDirectory: entry.isDirectory() }]
    })
  )
