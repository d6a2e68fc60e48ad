/** Names in the order of their UTF-8 bytes, read from anywhere on: what was added is sorted in by whoever reads. */
import { compareUtf8 } from "@persist/core"
import { firstIndex } from "./first-index.ts"

/** A block is split in two beyond so many names. */
const most = 1024

/** Names, each added once. Reading takes as long for many as for few; adding costs nothing until somebody reads. */
export class SortedNames {
  /** Sorted, and none is empty. */
  private blocks: Array<Array<string>> = []
  private size = 0
  private added: Array<string> = []

  /** Adds a name that isn't there yet. */
  add(name: string): void {
    this.added.push(name)
  }

  /** The names from one on, itself included where it's there. */
  *from(name: string): Generator<string> {
    this.settle()
    let block = this.blockOf(name)
    let place = placeOf(this.blocks[block] ?? [], name)
    for (; block < this.blocks.length; block++, place = 0) yield* rest(this.blocks[block] ?? [], place, 1)
  }

  /** The names before one, the last first; all of them where there is none. */
  *before(name: string | undefined): Generator<string> {
    this.settle()
    let block = name === undefined ? this.blocks.length - 1 : this.blockOf(name)
    let place = name === undefined ? Infinity : placeOf(this.blocks[block] ?? [], name)
    for (; block >= 0; block--, place = Infinity) {
      const names = this.blocks[block] ?? []
      yield* rest(names, Math.min(place, names.length) - 1, -1)
    }
  }

  private settle(): void {
    const { added } = this
    if (added.length === 0) return
    this.added = []
    // Many at once are sorted together with all that are there, which are in order already.
    if (added.length * 8 > this.size) this.rebuild(added)
    else for (const name of added) this.insert(name)
    this.size += added.length
  }

  private rebuild(added: ReadonlyArray<string>): void {
    const all = [...this.blocks.flat(), ...added].sort(compareUtf8)
    this.blocks = Array.from(
      { length: Math.ceil(all.length * 2 / most) },
      (_, n) => all.slice(n * most / 2, (n + 1) * most / 2)
    )
  }

  private insert(name: string): void {
    const at = this.blockOf(name)
    const names = this.blocks[at] ?? []
    names.splice(placeOf(names, name), 0, name)
    if (names.length > most) this.blocks.splice(at + 1, 0, names.splice(most / 2))
  }

  /** The last block that begins at or below a name, or the first. */
  private blockOf(name: string): number {
    return Math.max(0, firstIndex(this.blocks, ([first = ""]) => compareUtf8(first, name) > 0) - 1)
  }
}

/** The place of the first of these names that isn't below another. */
const placeOf = (names: ReadonlyArray<string>, name: string): number =>
  firstIndex(names, (other) => compareUtf8(other, name) >= 0)

function* rest(names: ReadonlyArray<string>, from: number, step: 1 | -1): Generator<string> {
  for (let i = from; i >= 0 && i < names.length; i += step) yield names[i] ?? ""
}
