/** Compaction: what isn't needed of the log any more gives its space back, in slices beside writers and readers. */
import type { BackendError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Semaphore from "effect/Semaphore"
import type { Contents } from "../contents/contents.ts"
import { places } from "../directory.ts"
import type { Disk } from "../disk.ts"
import { Unsettled } from "../error.ts"
import { createNext, type Journal } from "../journal.ts"
import { sealedEnd } from "../log/scan.ts"
import type { SealedSegment } from "../log/segment.ts"
import { inSlices } from "../slices.ts"
import { livingShare } from "./estimate.ts"
import { livingIn } from "./living.ts"
import { rewrite, type Segments, type Target } from "./rewrite.ts"
import { fits, isDue, isWorthwhile, type Looked } from "./stretch.ts"

/** What compaction needs of a handle. */
export interface CompactionOptions {
  readonly disk: Disk
  readonly directory: string
  readonly segmentBytes: number
  readonly journal: Journal
  readonly contents: Contents
  /** Whether the handle has stopped: what it believes may not be what the disk holds then, and nothing is replaced. */
  readonly stopped: () => boolean
  /** What a failure means; a handle that must stop does by that. */
  readonly explain: (operation: string, cause: unknown) => BackendError
}

// So many segments are looked at each time one is sealed.
const looksPerSeal = 16

// What would leave more than this of some segments' bytes isn't worth a change of the manifest.
const mostLeft = 0.75

interface Draft extends Target {
  readonly path: string
  /** Whether the file may be part of the store. */
  isListed: boolean
}

/** Compacts a log: {@link Compaction.run} does what the others ask for. */
export class Compaction {
  private readonly options: CompactionOptions
  private readonly asked = Latch.makeUnsafe(false)
  private readonly one = Semaphore.makeUnsafe(1)
  /** How many segments are still to be looked at. */
  private due = 0
  /** The last position of the segment that was looked at last. */
  private passed = 0
  /** The last position that was sealed when every segment was asked for last. */
  private allUpTo = 0
  /** Segments that would give no space back, or are damaged. */
  private readonly left = new WeakSet<SealedSegment>()

  constructor(options: CompactionOptions) {
    this.options = options
  }

  /** Asks for some segments to be looked at: for when one was sealed. */
  readonly lookAtSome = (): void => this.look(looksPerSeal)

  /**
   * Asks for every segment to be looked at: for when a store is opened, or much was removed at once. Once for each
   * seal: whoever removes much all the time would have nothing else done.
   */
  readonly lookAtAll = (): void => {
    const latest = this.options.journal.manifest.sealed.at(-1)
    if (latest === undefined || latest.last === this.allUpTo) return
    this.allUpTo = latest.last
    this.look(Infinity)
  }

  /** Does what's asked for: for a fiber of its own. */
  readonly run: Effect.Effect<never> = Effect.forever(
    Effect.andThen(
      Effect.suspend(() => this.asked.await),
      Effect.suspend(() => {
        this.asked.closeUnsafe()
        return Effect.catchDefect(this.round, (defect) => Effect.logError("Compaction failed on a defect.", defect))
      })
    )
  )

  /** Looks at the segments that are due, and writes anew what is worth it. What goes wrong is logged. */
  readonly round: Effect.Effect<void> = Effect.suspend(() => this.one.withPermit(this.goOn([])))

  private look(count: number): void {
    this.due = Math.min(Math.max(this.due, count), this.options.journal.manifest.sealed.length)
    if (this.due > 0) this.asked.openUnsafe()
  }

  private goOn(stretch: ReadonlyArray<Looked>): Effect.Effect<void> {
    return Effect.suspend(() => this.step(stretch))
  }

  private step(stretch: ReadonlyArray<Looked>): Effect.Effect<void> {
    const next = this.next()
    // Writing a stretch anew may take away what comes next, where that's the first one again.
    if (stretch.length > 0 && !isNeighbour(stretch, next)) return Effect.andThen(this.settle(stretch), this.goOn([]))
    if (next === undefined) return Effect.void
    this.due--
    this.passed = next.last
    return Effect.flatMap(this.lookAt(next), (looked) => {
      const then = (more: ReadonlyArray<Looked>) => Effect.andThen(Effect.yieldNow, this.goOn(more))
      if (looked !== undefined && fits(stretch, looked, this.options.segmentBytes)) return then([...stretch, looked])
      return Effect.andThen(this.settle(stretch), then(looked === undefined ? [] : [looked]))
    })
  }

  // Round and round, oldest first; not those that the index doesn't tell of yet.
  private next(): SealedSegment | undefined {
    if (this.due === 0 || this.options.stopped()) return undefined
    const { sealed, through } = this.options.journal.manifest
    return sealed.find(({ first, last }) => first > this.passed && last <= through) ??
      sealed.find(({ last }) => last <= through)
  }

  // Undefined where a segment is to be left as it is.
  private lookAt(segment: SealedSegment): Effect.Effect<Looked | undefined> {
    if (this.left.has(segment)) return Effect.succeed(undefined)
    const { contents, directory, disk, segmentBytes } = this.options
    const looked = this.attempt(() => {
      const estimating = { disk, directory: places(directory).log, isLiving: livingIn(contents) }
      return { segment, livingShare: livingShare(estimating, segment) }
    })
    return looked.pipe(
      Effect.map((found) => isWorthwhile(found, segmentBytes) ? found : undefined),
      Effect.catch((error) => Effect.as(this.giveUp([segment], error), undefined))
    )
  }

  private settle(stretch: ReadonlyArray<Looked>): Effect.Effect<void> {
    const [first, ...rest] = stretch.map(({ segment }) => segment)
    if (first === undefined || !isDue(stretch) || this.options.stopped()) return Effect.void
    const segments: Segments = [first, ...rest]
    const replaced = Effect.acquireUseRelease(
      this.attempt(() => this.begin(segments)),
      (draft) => this.replace(segments, draft),
      // A file that can't be removed now, and isn't listed, is swept when the store is opened the next time.
      (draft) => Effect.ignore(this.attempt(() => this.end(draft)))
    )
    return Effect.catch(replaced, (error) => this.giveUp(segments, error))
  }

  private replace(segments: Segments, draft: Draft): Effect.Effect<void, BackendError> {
    const { contents, directory, disk, journal, stopped } = this.options
    const { log } = places(directory)
    const { identity, sealed } = journal.manifest
    const since = sealedEnd({ identity, sealed: sealed.slice(0, sealed.indexOf(segments[0])) })
    const rewriting = { disk, directory: log, segments, since, target: draft, isLiving: livingIn(contents) }
    return Effect.gen({ self: this }, function*() {
      const by = yield* inSlices(() => rewrite(rewriting), Effect.yieldNow, this.explain)
      if (by.bytes > mostLeft * bytesOf(segments) && segments.length === 1) return this.leave(segments)
      yield* Effect.mapError(disk.syncBeside(draft.fd), this.explain)
      yield* this.attempt(() => {
        disk.syncDirectory(log)
        // From here on nothing else runs, so that nothing is replaced by what a handle that has stopped believes.
        if (stopped()) return
        this.publish(segments, by, draft)
      })
    })
  }

  private publish(segments: Segments, by: SealedSegment, draft: Draft): void {
    draft.isListed = true
    try {
      this.options.journal.replace(segments, by)
    } catch (cause) {
      draft.isListed = cause instanceof Unsettled
      throw cause
    }
  }

  private begin([first, ...rest]: Segments): Draft {
    const { directory, disk } = this.options
    const generation = 1 + Math.max(first.generation, ...rest.map((segment) => segment.generation))
    const [path, fd, given] = createNext(disk, places(directory).log, first.first, generation)
    return { path, fd, name: { first: first.first, generation: given }, isListed: false }
  }

  private end({ fd, isListed, path }: Draft): void {
    this.options.disk.close(fd)
    if (!isListed) this.options.disk.remove(path)
  }

  // What is damaged stays so; anything else is tried again when somebody asks.
  private giveUp(segments: ReadonlyArray<SealedSegment>, error: BackendError): Effect.Effect<void> {
    if (error._tag === "Corrupt") this.leave(segments)
    else this.due = 0
    return Effect.logWarning(`The log of ${this.options.directory} could not be compacted: ${error.message}`)
  }

  private leave(segments: ReadonlyArray<SealedSegment>): void {
    for (const segment of segments) this.left.add(segment)
  }

  private readonly explain = (cause: unknown): BackendError => this.options.explain("compact", cause)

  private attempt<A>(use: () => A): Effect.Effect<A, BackendError> {
    return Effect.try({ try: use, catch: this.explain })
  }
}

const isNeighbour = (stretch: ReadonlyArray<Looked>, next: SealedSegment | undefined): boolean =>
  stretch.at(-1)?.segment.last === (next?.first ?? 0) - 1

const bytesOf = (segments: ReadonlyArray<SealedSegment>): number => segments.reduce((sum, { bytes }) => sum + bytes, 0)
