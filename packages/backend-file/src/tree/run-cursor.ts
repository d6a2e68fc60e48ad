/** A cursor over a range of one run: down from the root to the first entry, then from block to block. */
import type { Key } from "../key.ts"
import type { Block, Held } from "./block.ts"
import type { Cursor } from "./cursor.ts"
import type { Run } from "./run.ts"
import type { TreeRange } from "./tree.ts"

/** Passes over the entries of a run, deletions included, forwards or backwards. Throws `DamagedRun` as it reads. */
export class RunCursor implements Cursor {
  key: Key | undefined
  private readonly run: Run
  private readonly range: TreeRange
  private readonly step: 1 | -1
  /** From the root, which is last, down to the entries' level at 0: the block, and the place in it. */
  private readonly path: Array<{ block: Block; at: number }> = []

  constructor(run: Run, range: TreeRange) {
    this.run = run
    this.range = range
    this.step = range.reverse === true ? -1 : 1
    this.seek()
    this.look()
  }

  get deleted(): boolean {
    const place = this.path[0]
    return place?.block.deleted(place.at) ?? false
  }

  get size(): number {
    const place = this.path[0]
    return place?.block.size(place.at) ?? 0
  }

  value(): Held {
    const place = this.path[0]
    return place?.block.value(place.at) ?? null
  }

  encode(into: Buffer, at: number): void {
    const place = this.path[0]
    place?.block.copy(place.at, into, at)
  }

  advance(): void {
    if (this.key === undefined) return
    this.move(0)
    this.look()
  }

  // Goes to the first entry at or above `gte`, or to the last one below `lt`.
  private seek(): void {
    const { height } = this.run.footer
    const bound = this.step > 0 ? this.range.gte : this.range.lt
    let block = this.run.root
    for (let level = height; level >= 0; level--) {
      const ceiling = block.ceiling(bound)
      const before = ceiling - 1
      // Above the entries, a block's first key is the one that it's listed by.
      const at = level === 0
        ? (this.step > 0 ? ceiling : before)
        : this.step > 0 && (block.holds(ceiling, bound) || before < 0)
        ? ceiling
        : before
      this.path[level] = { block, at }
      if (level === 0) break
      // Backwards, everything may lie above the bound.
      if (at < 0) return this.end()
      block = this.run.child(block, at)
    }
    const place = this.path[0]
    if (place !== undefined && (place.at < 0 || place.at >= place.block.count)) this.leave(0)
  }

  // One step at a level; where the block ends there, one step at the level above and down again.
  private move(level: number): void {
    const place = this.path[level]
    if (place === undefined) return
    place.at += this.step
    if (place.at < 0 || place.at >= place.block.count) this.leave(level)
  }

  private leave(level: number): void {
    this.move(level + 1)
    const above = this.path[level + 1]
    if (above === undefined) return this.end()
    const block = this.run.child(above.block, above.at)
    this.path[level] = { block, at: this.step > 0 ? 0 : block.count - 1 }
  }

  private end(): void {
    this.path.length = 0
  }

  // Takes what the path leads to, as long as it's within the range.
  private look(): void {
    const place = this.path[0]
    const key = place?.block.key(place.at)
    const within = key !== undefined && (this.step > 0 ? key < this.range.lt : key >= this.range.gte)
    this.key = within ? key : undefined
  }
}
