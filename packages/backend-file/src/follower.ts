/** A store as a process knows it that follows its writer: what the manifest lists, and the frames that come after. */
import { Position, Unavailable } from "@persist/core"
import { join } from "node:path"
import { Contents } from "./contents/contents.ts"
import { places } from "./directory.ts"
import type { Disk } from "./disk.ts"
import { codeOf, damage } from "./error.ts"
import { otherStore } from "./identity.ts"
import { FollowedTail } from "./log/followed-tail.ts"
import { Log } from "./log/log.ts"
import { offsetsOf, restoreFrom, scanOpen, scanSealed, sealedEnd } from "./log/scan.ts"
import { fileOf, segmentHeader } from "./log/segment.ts"
import { isOutdated, latestManifest, type Manifest } from "./manifest.ts"
import { openView } from "./tree/open-tree.ts"
import { DamagedRun, type TreeView } from "./tree/tree.ts"

/** Which store is followed. */
export interface FollowerOptions {
  readonly disk: Disk
  readonly directory: string
  readonly identity: string
}

/** What was read of a store. */
interface Known {
  readonly manifest: Manifest
  readonly contents: Contents
  readonly tail: FollowedTail | undefined
}

/** Follows a store that another process writes, or nobody. It never takes back what it has told. */
export class Follower {
  readonly log: Log
  private readonly options: FollowerOptions
  private view: TreeView | undefined
  /** The index that the view is of. */
  private base: Pick<Manifest, "runs" | "through"> | undefined
  private known: Known | undefined
  /** Up to where somebody may have been told what there is. */
  private told = 0
  private followed: string | undefined
  /** Why a flush failed, and under which manifest. */
  private unflushed: { readonly number: number; readonly cause: unknown } | undefined

  constructor(options: FollowerOptions) {
    this.options = options
    this.log = new Log(options.disk, places(options.directory).log)
  }

  /** What the store holds, as the last {@link refresh} found it. */
  get contents(): Contents {
    return this.found.contents
  }

  /** The incarnation of the history that it follows. */
  get incarnation(): string {
    return this.found.manifest.incarnation
  }

  /** Whether somebody is taking the store over, who may find more than is known here of what was written before. */
  get isFenced(): boolean {
    return this.found.manifest.usage === "fenced"
  }

  /** The last position that it has found. */
  get head(): Position {
    return headOf(this.found)
  }

  /**
   * Finds what is new; answers whether anything is. Throws `Corrupt` and `DamagedRun` where something isn't what was
   * written, `Unavailable` where the store went back or is another one, and what the disk throws.
   */
  refresh(): boolean {
    const { known } = this
    if (known === undefined || this.isOutdated(known.manifest)) return this.load()
    const { contents, manifest, tail } = known
    // Whoever takes a store over says so first: what its earlier writer adds after that is no part of it.
    if (manifest.usage !== "open" || tail === undefined) return false
    const more = this.extend(manifest, tail, contents)
    this.told = headOf(known)
    return more || (this.isOutdated(manifest) && this.load())
  }

  /** Whether something thrown means only that the store has moved on since the last {@link refresh}. */
  movedOn(cause: unknown): boolean {
    const isGone = codeOf(cause) === "ENOENT" || (cause instanceof DamagedRun && cause.missing)
    return isGone && (this.known === undefined || this.isOutdated(this.known.manifest))
  }

  /** Lets every file go. */
  close(): void {
    this.known?.tail?.close()
    this.known = undefined
    this.view?.close()
    this.log.close()
  }

  private get found(): Known {
    if (this.known === undefined) throw new Error("nothing was read of the store yet")
    return this.known
  }

  private isOutdated({ number }: Manifest): boolean {
    return isOutdated(this.options.disk, this.options.directory, number)
  }

  private extend(manifest: Manifest, tail: FollowedTail, contents: Contents): boolean {
    const confirm = (): boolean => {
      this.flush(manifest, tail.fd)
      return !this.isOutdated(manifest)
    }
    return tail.extend(confirm, (chunk, at) => contents.restore(chunk, at))
  }

  // What a reader was told must not be gone after a loss of power. Never again after a failure: the system may hold for
  // written what it has not written, and say so the second time. Another manifest says anew what is durable.
  private flush({ number }: Manifest, fd: number): void {
    if (this.unflushed?.number === number) throw this.unflushed.cause
    try {
      this.options.disk.sync(fd)
    } catch (cause) {
      this.unflushed = { number, cause }
      throw cause
    }
  }

  private load(): boolean {
    const { directory, disk, identity } = this.options
    const before = this.known
    const manifest = latestManifest(disk, directory)
    if (manifest === undefined) throw unmade
    if (manifest.identity !== identity) {
      throw before === undefined ? otherStore(directory) : replaced("another store is in its place")
    }
    this.followed ??= manifest.incarnation
    if (manifest.incarnation !== this.followed) throw replaced("it was given another incarnation")
    if (before !== undefined && manifest.usage === "fenced") {
      // It lists no more than the one before, and may end before what was told.
      this.known = { ...before, manifest }
      return false
    }
    // What was acknowledged may lie behind what it lists, and nobody knows yet how far it's whole.
    if (manifest.usage === "fenced") throw takenOver("open")
    this.known = undefined
    before?.tail?.close()
    try {
      this.known = this.read(manifest)
    } catch (cause) {
      if (this.movedOn(cause) && this.isOutdated(manifest)) return this.load()
      throw cause
    }
    const head = headOf(this.known)
    if (head < this.told) throw replaced(`it went back from position ${this.told} to ${head}`)
    const more = head > this.told || before === undefined
    this.told = head
    return more
  }

  private read(manifest: Manifest): Known {
    const contents = this.indexed(manifest)
    const tail = this.tailOf(manifest, contents)
    this.log.use(manifest.sealed, tail)
    return { manifest, contents, tail }
  }

  private indexed(manifest: Manifest): Contents {
    const { directory, disk } = this.options
    const { index, log } = places(directory)
    const { identity, sealed } = manifest
    // While an index is made anew, the one before tells more: its files can be read as long as they're open, and what
    // it doesn't tell of isn't compacted before the new one does.
    const { runs, through } = this.base !== undefined && manifest.through < this.base.through ? this.base : manifest
    if (sealed.filter(({ last }) => last > through).length > mostUntold) throw unindexed
    if (this.view === undefined) this.view = openView({ directory: index, disk, runs })
    else this.view.reload(runs)
    this.base = { runs, through }
    const contents = new Contents(this.view)
    for (const [n, segment] of sealed.entries()) {
      if (segment.last <= through) continue
      const since = sealedEnd({ identity, sealed: sealed.slice(0, n) })
      restoreFrom(contents, scanSealed(disk, log, segment, since), through)
    }
    return contents
  }

  private tailOf(manifest: Manifest, contents: Contents): FollowedTail | undefined {
    const { open, usage } = manifest
    if (open === undefined) return undefined
    const { directory, disk } = this.options
    const { log } = places(directory)
    const path = join(log, fileOf(open))
    const fd = disk.open(path, "read")
    try {
      const scanned = scanOpen(disk, log, open, sealedEnd(manifest))
      const frames = scanned.frames.filter(({ end }) => end <= open.bytes)
      const end = frames.at(-1)?.end ?? segmentHeader
      if (end !== open.bytes) throw damage(path, end, scanned.fault ?? "the file is cut short", scanned.head + 1)
      const durable = { ...scanned, frames }
      restoreFrom(contents, durable, manifest.through)
      const chain = Buffer.from(open.chain, "hex")
      const tail = new FollowedTail(disk, { ...open, path, fd, end, chain, offsets: offsetsOf(durable, open.first) })
      if (usage === "open") this.extend(manifest, tail, contents)
      return tail
    } catch (cause) {
      disk.close(fd)
      throw cause
    }
  }
}

const headOf = ({ manifest, tail }: Known): Position => tail?.last ?? manifest.sealed.at(-1)?.last ?? Position(0)

/** The answer of who reads, where only whoever takes the store over will know. */
export const takenOver = (operation: string): Unavailable =>
  new Unavailable({
    operation,
    reason: "the store is being taken over from a writer that didn't close it",
    remedy: "try again once it's open, or open it for writing"
  })

const unmade = new Unavailable({
  operation: "open",
  reason: "the store has no manifest: it's only being made, or lost it",
  remedy: "try again once its first writer has opened it; where there is none, restore the store from a backup"
})

// Segments that the index doesn't tell of yet: whoever seals one waits for the one before. Where there are more it's
// being made anew, and reading them all would take minutes, in memory.
const mostUntold = 4

const unindexed = new Unavailable({
  operation: "open",
  reason: "the store's index was damaged and isn't made anew yet",
  remedy: "try again once its writer has opened it; where there is none, open it for writing"
})

const replaced = (reason: string): Unavailable =>
  new Unavailable({
    operation: "read",
    reason: `the store was replaced while it was open: ${reason}`,
    remedy: "open it again",
    reopen: true
  })
