/** What a tree does beside its owner: writes what was sealed as runs, and merges runs, in slices. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import { everyKey } from "../key.ts"
import { inSlices } from "../slices.ts"
import { BlockCache } from "./block-cache.ts"
import type { Block } from "./block.ts"
import { type Cursor, MergedCursor } from "./cursor.ts"
import type { Layers, Sealed } from "./layers.ts"
import { type MergePlan, planMerge } from "./merge-policy.ts"
import { readAhead } from "./read-ahead.ts"
import { RunCursor } from "./run-cursor.ts"
import type { RunFiles } from "./run-files.ts"
import { writeRun } from "./run-writer.ts"
import { openRuns, type Run } from "./run.ts"
import { DamagedRun, DiskFault, type RunInfo, TreeClosed, type TreeOptions } from "./tree.ts"

/** Why a run couldn't be written: the disk or the owner, or a run that it was to be made of. */
export type RunFault = DiskFault | DamagedRun

// Merging passes over each block once, and so needs few of them in memory.
const mergeCacheBytes = 256 * 1024
const mergeReadBytes = 128 * 1024

/** Keeps the runs of a tree. */
export class Upkeep {
  private readonly layers: Layers
  private readonly options: TreeOptions
  private readonly files: RunFiles
  private readonly work = Latch.makeUnsafe(false)
  private readonly watchers = new Set<() => void>()
  private through: number
  private asked = false
  private running = false
  /** Why the latest attempts failed; the next ones are made when somebody asks. */
  private sealFault: RunFault | undefined
  private mergeFault: RunFault | undefined
  /** What is told once nothing is done any more. */
  private ended: DiskFault | undefined

  constructor(layers: Layers, options: TreeOptions, files: RunFiles) {
    this.layers = layers
    this.options = options
    this.files = files
    this.through = options.through
  }

  /** Does what there is to do, now and whenever it's asked: for a fiber of its own. */
  readonly run: Effect.Effect<never> = Effect.forever(
    Effect.andThen(Effect.suspend(() => this.work.await), Effect.suspend(() => this.turn()))
  )

  /** Asks for whatever there is to do, and for what failed to be tried again. */
  wake(): void {
    this.sealFault = undefined
    // A damaged run won't be mended by trying again.
    if (this.mergeFault?._tag !== "DamagedRun") this.mergeFault = undefined
    this.asked = true
    this.work.openUnsafe()
  }

  /** The run that merging has found damaged, if any. */
  get damaged(): DamagedRun | undefined {
    return this.mergeFault?._tag === "DamagedRun" ? this.mergeFault : undefined
  }

  /** Nothing is done any more, which whoever waits is told. */
  end(): void {
    this.ended = new DiskFault({ cause: new TreeClosed() })
    this.tell()
  }

  /** Waits until nothing sealed is in memory alone. */
  readonly sealed: Effect.Effect<void, RunFault> = Effect.suspend(() =>
    this.until(() => this.layers.sealed.length === 0, () => this.sealFault)
  )

  /** Waits until there is nothing left to merge either. */
  readonly settled: Effect.Effect<void, RunFault> = Effect.suspend(() =>
    this.until(() => !this.asked && !this.running, () => this.sealFault ?? this.mergeFault)
  )

  private until(done: () => boolean, fault: () => RunFault | undefined): Effect.Effect<void, RunFault> {
    return Effect.callback((resume) => {
      const watch = () => {
        const failed = this.ended ?? fault()
        if (failed !== undefined) resume(Effect.fail(failed))
        else if (done()) resume(Effect.void)
        else return
        this.watchers.delete(watch)
      }
      if (fault() !== undefined) this.wake()
      this.watchers.add(watch)
      watch()
      return Effect.sync(() => this.watchers.delete(watch))
    })
  }

  private turn(): Effect.Effect<void> {
    this.work.closeUnsafe()
    this.asked = false
    this.running = true
    const all = Effect.andThen(this.sealAll, Effect.suspend(() => this.mergeAll()))
    return Effect.ensuring(
      all,
      Effect.sync(() => {
        this.running = false
        this.tell()
      })
    )
  }

  private readonly sealAll: Effect.Effect<void> = Effect.suspend(() => {
    const [oldest] = this.layers.sealed
    if (oldest === undefined || this.sealFault !== undefined) return Effect.void
    const sealing = attend(
      this.seal(oldest),
      "The index could not be written; what was sealed stays in memory.",
      (fault) => {
        this.sealFault = fault
      }
    )
    return Effect.andThen(sealing, this.sealAll)
  })

  private mergeAll(): Effect.Effect<void> {
    const plan = planMerge(this.layers.runs.map(({ info }) => info.bytes))
    if (plan === undefined || this.mergeFault !== undefined) return this.sealAll
    const merging = attend(this.merge(plan), "Runs of the index could not be merged.", (fault) => {
      this.mergeFault = fault
    })
    return Effect.andThen(merging, Effect.suspend(() => this.mergeAll()))
  }

  private seal({ table, through }: Sealed): Effect.Effect<void, RunFault> {
    const entries = () => new MergedCursor(table.cursors(everyKey), false)
    const first = this.layers.runs.length === 0
    const contents: Contents = { entries, mostHashes: 2 * table.entries, keepDeletions: !first }
    return Effect.flatMap(this.write(contents, Effect.yieldNow), (info) =>
      attempt(() => {
        const run = this.publish(this.layers.runs.length, 0, info, through)
        this.layers.unseal(run)
        this.through = through
        this.tell()
      }))
  }

  private merge({ count, from }: MergePlan): Effect.Effect<void, RunFault> {
    const infos = this.layers.runs.slice(from, from + count).map(({ info }) => info)
    const disk = readAhead(this.options.disk, mergeReadBytes)
    const place = { ...this.options, disk, cache: new BlockCache<Block | Buffer>(mergeCacheBytes) }
    return Effect.acquireUseRelease(
      attempt(() => openRuns(infos, place)),
      (runs) => {
        const newestFirst = runs.toReversed()
        const contents: Contents = {
          entries: () => new MergedCursor(newestFirst.map((run) => new RunCursor(run, everyKey)), false),
          mostHashes: runs.reduce((sum, { footer }) => sum + footer.hashes, 0),
          // What is deleted need not be told where nothing older tells of it.
          keepDeletions: from > 0
        }
        // Whoever waits for a seal doesn't wait for a merge.
        const written = this.write(contents, Effect.andThen(Effect.yieldNow, this.sealAll))
        const replaced = Effect.flatMap(
          written,
          (info) => attempt(() => this.layers.replace(from, count, this.publish(from, count, info, this.through)))
        )
        // A file that can't be removed now is when the tree is opened the next time.
        return Effect.andThen(replaced, Effect.ignore(attempt(() => this.files.remove(infos))))
      },
      (runs) => Effect.sync(() => runs.forEach((run) => run.close()))
    )
  }

  // Writes a run and makes it durable. Where that fails or is interrupted, or nothing is in it, the file is removed.
  private write(
    contents: Contents,
    pause: Effect.Effect<void, RunFault>
  ): Effect.Effect<RunInfo | undefined, RunFault> {
    const { disk } = this.options
    const { entries, keepDeletions, mostHashes } = contents
    return Effect.acquireUseRelease(
      attempt(() => this.files.create()),
      ({ fd, file }) =>
        inSlices(() => writeRun({ disk, fd, file, mostHashes }, entries(), keepDeletions), pause, explain).pipe(
          Effect.tap(() => Effect.mapError(disk.syncBeside(fd), explain)),
          Effect.tap(() => attempt(() => this.files.sync()))
        ),
      // A file that can't be removed now isn't listed, and is swept when the tree is opened the next time.
      ({ fd, file }, exit) =>
        Effect.ignore(attempt(() => {
          disk.close(fd)
          if (Exit.isFailure(exit) || exit.value === undefined) this.files.remove([{ file }])
        }))
    )
  }

  // Announces the list with `count` runs replaced. The new file stays, whatever the owner throws: it may have been
  // listed all the same, and is swept some day if it wasn't.
  private publish(from: number, count: number, info: RunInfo | undefined, through: number): Run | undefined {
    const run = info === undefined ? undefined : this.layers.openRun(info)
    const runs = this.layers.runs.map((each) => each.info)
    try {
      this.options.announce({ runs: runs.toSpliced(from, count, ...(info === undefined ? [] : [info])), through })
      return run
    } catch (cause) {
      run?.close()
      throw cause
    }
  }

  private tell(): void {
    for (const watch of this.watchers) watch()
  }
}

interface Contents {
  readonly entries: () => Cursor
  readonly mostHashes: number
  readonly keepDeletions: boolean
}

// Whoever waits must be told of a defect, too, and not wait for ever.
const attend = (
  work: Effect.Effect<void, RunFault>,
  message: string,
  note: (fault: RunFault) => void
): Effect.Effect<void> =>
  work.pipe(
    Effect.catchDefect((defect) => Effect.fail(explain(defect))),
    Effect.catch((fault) => {
      note(fault)
      return Effect.logWarning(message, fault)
    })
  )

/** What anything thrown means: a damaged run, or the disk. */
export const explain = (cause: unknown): RunFault => cause instanceof DamagedRun ? cause : new DiskFault({ cause })

const attempt = <A>(use: () => A): Effect.Effect<A, RunFault> => Effect.try({ try: use, catch: explain })
