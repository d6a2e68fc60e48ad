/** The log as its one writer has it: the segment that frames go into, those before it, and the manifest of them all. */
import { origin, Position } from "@persist/core"
import * as Result from "effect/Result"
import { join } from "node:path"
import { places } from "./directory.ts"
import type { Disk } from "./disk.ts"
import { codeOf, Unsettled } from "./error.ts"
import type { Standpoint } from "./log/frame.ts"
import { Log } from "./log/log.ts"
import { Offsets } from "./log/offsets.ts"
import { OpenSegment } from "./log/open-segment.ts"
import { Out } from "./log/out.ts"
import { fileOf, type SealedSegment, segmentHeader, writeHeader } from "./log/segment.ts"
import { type Manifest, publishManifest } from "./manifest.ts"
import type { RunsChange } from "./tree/tree.ts"

/** What a journal needs. */
export interface JournalOptions {
  readonly disk: Disk
  readonly directory: string
  /** How large a segment becomes before the next one is begun. */
  readonly segmentBytes: number
  /** Whether the store is still this process's to write. */
  readonly held: () => boolean
}

/** A segment's content when it's made: whole frames that are to be its beginning, and where their records are. */
export interface Beginning extends Standpoint {
  readonly frames: Uint8Array
  readonly offsets: Offsets
}

/**
 * Makes a segment that follows on `since`, durable; it's no part of the store until the manifest says so. Where its
 * name is taken, by what a writer left that was stopped at that, it gets the next generation.
 */
export const createSegment = (
  { directory, disk, segmentBytes }: Pick<JournalOptions, "disk" | "directory" | "segmentBytes">,
  since: Standpoint,
  generation: number,
  beginning: Beginning = { ...since, frames: new Uint8Array(0), offsets: new Offsets() }
): OpenSegment => {
  const log = places(directory).log
  const first = Position(since.head + 1)
  const [path, fd, given] = createNext(disk, log, first, generation)
  const out = new Out(segmentHeader)
  writeHeader(out, since, given)
  try {
    disk.write(fd, out.bytes.subarray(0, out.length), 0)
    disk.write(fd, beginning.frames, out.length)
    disk.sync(fd)
    disk.syncDirectory(log)
  } catch (cause) {
    disk.close(fd)
    disk.remove(path)
    throw cause
  }
  const { chain, frames, head, offsets } = beginning
  const end = out.length + frames.length
  return new OpenSegment(disk, { path, fd, first, generation: given, end, head, chain, offsets }, segmentBytes)
}

/** Makes the file of a segment, of the first generation from this one on that there is none of; answers which. */
export const createNext = (
  disk: Disk,
  log: string,
  first: Position,
  generation: number
): readonly [path: string, fd: number, generation: number] => {
  const path = join(log, fileOf({ first, generation }))
  try {
    return [path, disk.create(path), generation]
  } catch (cause) {
    if (codeOf(cause) !== "EEXIST") throw cause
    return createNext(disk, log, first, generation + 1)
  }
}

/**
 * The log's writing side. It throws what the disk throws where all is as it was, and otherwise {@link Unsettled}, after
 * which it must not be used any more.
 */
export class Journal {
  readonly log: Log
  private readonly options: JournalOptions
  private latest: Manifest
  private segment: OpenSegment
  private discarded: Unsettled | undefined

  constructor(options: JournalOptions, manifest: Manifest, segment: OpenSegment) {
    this.options = options
    this.latest = manifest
    this.segment = segment
    this.log = new Log(options.disk, places(options.directory).log)
    this.log.use(manifest.sealed, segment)
  }

  /** The segment that is being written. */
  get open(): OpenSegment {
    return this.segment
  }

  /** The manifest as it was published last. */
  get manifest(): Manifest {
    return this.latest
  }

  /** How many bytes the open segment is short of what it's meant to become; none where it's as large already. */
  get left(): number {
    return Math.max(0, this.options.segmentBytes - this.segment.end)
  }

  /** Makes a frame durable, after which the log stands at `then`. */
  append(frame: Uint8Array, then: Standpoint): void {
    this.segment.append(frame, then)
    this.checkHeld()
  }

  /** Seals the open segment and begins the next one. Where the disk refuses that, all is as it was. */
  rotate(): void {
    const before = this.segment
    const next = createSegment(this.options, before, 0)
    try {
      this.goOver(before, next)
    } catch (cause) {
      next.close()
      if (!(cause instanceof Unsettled)) this.options.disk.remove(next.path)
      throw cause
    }
  }

  /** Publishes what has changed in the manifest. */
  publish(change: Partial<Manifest>): void {
    const { chain, end, head, name } = this.segment
    const open = { ...name, head, bytes: end, chain: chain.toString("hex") }
    const manifest = { ...this.latest, open, ...change, number: this.latest.number + 1 }
    publishManifest(this.options.disk, this.options.directory, manifest)
    this.latest = manifest
    this.checkHeld()
  }

  /**
   * Puts a segment in the place of some neighbours, whose files are removed once that is published. Throws as
   * {@link publish} does.
   */
  replace(segments: ReadonlyArray<SealedSegment>, by: SealedSegment): void {
    const from = this.latest.sealed.findIndex((segment) => segment === segments[0])
    const isThere = from >= 0 && segments.every((segment, n) => this.latest.sealed[from + n] === segment)
    if (!isThere) throw new Error("these segments are no neighbours in the manifest")
    const sealed = this.latest.sealed.toSpliced(from, segments.length, by)
    this.publish({ sealed })
    this.log.use(sealed, this.segment)
    const { directory, disk } = this.options
    // What can't be removed now is when the store is opened the next time.
    for (const segment of segments) Result.try(() => disk.remove(join(places(directory).log, fileOf(segment))))
  }

  /** Publishes what has become of the index. */
  readonly announce = ({ runs, through }: RunsChange): void => {
    if (this.discarded !== undefined) throw this.discarded
    this.publish({ runs, through: Position(through) })
  }

  /** Publishes that there is no index: whoever opens the store next makes it anew. From now on none is announced. */
  discardIndex(why: Unsettled): void {
    if (this.discarded !== undefined) return
    this.publish({ runs: [], through: origin })
    this.discarded = why
  }

  /** Says that nobody writes any more, and how far everything goes. */
  retire(): void {
    this.segment.trim()
    this.publish({ usage: "closed" })
  }

  /** Lets the files go. */
  close(): void {
    this.log.close()
    this.segment.close()
  }

  private goOver(before: OpenSegment, next: OpenSegment): void {
    const sealed = [...this.latest.sealed, before.seal()]
    this.segment = next
    try {
      this.publish({ sealed })
    } catch (cause) {
      this.segment = before
      if (!(cause instanceof Unsettled)) before.unseal(cause)
      throw cause
    }
    before.close()
    this.log.use(sealed, next)
  }

  // What can't be asked any more isn't there either: by now it's written, so nobody may be told that it failed.
  private isNamed(): boolean {
    return Result.getOrElse(Result.try(() => this.segment.isNamed), () => false)
  }

  // After it was written and before anybody is told: who takes the store over sees it or fences it off.
  private checkHeld(): void {
    if (!this.options.held()) throw new Unsettled("its lock was taken over, or its directory was moved or removed")
    if (!this.isNamed()) throw new Unsettled("a file of its log was removed")
  }
}
