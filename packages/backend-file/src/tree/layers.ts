/** What a tree consists of, newest first: the memtable, memtables that are being written as runs, and the runs. */
import { headOf, type Key } from "../key.ts"
import { BlockCache } from "./block-cache.ts"
import type { Block, Held } from "./block.ts"
import { type Cursor, MergedCursor } from "./cursor.ts"
import { hashOf } from "./filter.ts"
import { Memtable } from "./memtable.ts"
import { RunCursor } from "./run-cursor.ts"
import { openRuns, Run, type RunPlace } from "./run.ts"
import type { RunInfo, TreeEntry, TreePlace, TreeRange, TreeReads } from "./tree.ts"

const defaultCacheBytes = 32 * 1024 * 1024

/** A memtable that takes no more, and what the seal that closed it covers. */
export interface Sealed {
  readonly table: Memtable
  readonly through: number
}

/** The reading side of a tree, and what its memtable takes; {@link TreeReads} says what the verbs do. */
export class Layers implements TreeReads {
  private table = new Memtable()
  /** Oldest first, as are the runs. */
  private waiting: ReadonlyArray<Sealed> = []
  private open: ReadonlyArray<Run> = []
  private readonly place: RunPlace
  /** Rises with every change, so that a range that is still being read notices. */
  private version = 0
  private closed = false

  /** Opens the runs of a place; throws `DamagedRun`. */
  constructor({ cacheBytes = defaultCacheBytes, directory, disk, runs }: TreePlace) {
    this.place = { directory, disk, cache: new BlockCache<Block | Buffer>(cacheBytes) }
    this.open = this.openAll(runs)
  }

  get runs(): ReadonlyArray<Run> {
    return this.open
  }

  /** What is sealed and isn't a run yet, oldest first. */
  get sealed(): ReadonlyArray<Sealed> {
    return this.waiting
  }

  readonly put = (key: Key, value: Uint8Array): void => this.set(key, value)

  readonly delete = (key: Key): void => this.set(key, null)

  readonly get = (key: Key): Uint8Array | undefined => this.find(key) ?? undefined

  readonly range = (range: TreeRange): Iterable<TreeEntry> => this.entries(range)

  seal(through: number): void {
    this.change()
    this.waiting = [...this.waiting, { table: this.table, through }]
    this.table = new Memtable()
  }

  /** Opens a run that is to become part of the tree; throws `DamagedRun`. */
  openRun(info: RunInfo): Run {
    return Run.open(info, this.place)
  }

  /** The oldest of what is sealed is a run now, or none where there was nothing in it. */
  unseal(run: Run | undefined): void {
    this.replace(this.open.length, 0, run)
    this.waiting = this.waiting.slice(1)
  }

  /** Puts a run, or none, in the place of `count` runs; closes those. */
  replace(from: number, count: number, run: Run | undefined): void {
    this.change()
    const replaced = this.open.slice(from, from + count)
    this.open = this.open.toSpliced(from, count, ...(run === undefined ? [] : [run]))
    for (const each of replaced) each.close()
  }

  /** Goes over to other runs and an empty memtable; throws `DamagedRun`, and then nothing has changed. */
  reload(runs: ReadonlyArray<RunInfo>): void {
    const before = this.open
    this.open = this.openAll(runs)
    this.change()
    for (const run of before) if (!this.open.includes(run)) run.close()
    this.table = new Memtable()
  }

  close(): void {
    if (this.closed) return
    this.change()
    this.closed = true
    for (const run of this.open) run.close()
    this.open = []
  }

  private set(key: Key, value: Held): void {
    this.change()
    this.table.set(key, value)
  }

  private change(): void {
    if (this.closed) throw new Error("the tree is closed")
    this.version++
  }

  private find(key: Key): Held | undefined {
    if (this.closed) throw new Error("the tree is closed")
    const held = this.table.get(key)
    if (held !== undefined) return held
    for (let i = this.waiting.length - 1; i >= 0; i--) {
      const sealed = this.waiting[i]?.table.get(key)
      if (sealed !== undefined) return sealed
    }
    const hash = hashOf(key)
    for (let i = this.open.length - 1; i >= 0; i--) {
      const found = this.open[i]?.get(key, hash)
      if (found !== undefined) return found
    }
    return undefined
  }

  private *entries(range: TreeRange): Generator<TreeEntry> {
    if (this.closed) throw new Error("the tree is closed")
    const { version } = this
    const cursor = new MergedCursor(this.cursors(range), range.reverse === true)
    for (; cursor.key !== undefined; cursor.advance()) {
      const { key } = cursor
      const value = cursor.value()
      if (value === null) continue
      yield { key, value }
      if (version !== this.version) throw new Error("the tree has changed since this range was begun")
    }
  }

  private cursors(range: TreeRange): ReadonlyArray<Cursor> {
    const cursors = [...this.table.cursors(range)]
    for (const { table } of this.waiting.toReversed()) cursors.push(...table.cursors(range))
    const head = headOf(range.gte, range.lt)
    const hash = head === undefined ? undefined : hashOf(head)
    for (const run of this.open.toReversed()) {
      if (hash === undefined || run.mayHold(hash)) cursors.push(new RunCursor(run, range))
    }
    return cursors
  }

  // Runs that are open already stay open: those files can be read even where they were removed meanwhile.
  private openAll(runs: ReadonlyArray<RunInfo>): ReadonlyArray<Run> {
    const held = (info: RunInfo) => this.open.find((run) => run.info.file === info.file && run.info.sum === info.sum)
    const opened = openRuns(runs.filter((info) => held(info) === undefined), this.place)
    const all: Array<Run> = []
    for (const info of runs) {
      const run = held(info) ?? opened.find((each) => each.info === info)
      if (run !== undefined) all.push(run)
    }
    return all
  }
}
