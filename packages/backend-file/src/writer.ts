/** Writing: a batch of commits, each judged against the ones before it, becomes one frame. */
import type { BackendError, BackendShape, Commit, Committed, Outcome, Standing, Write } from "@persist/core"
import { judge, OutcomeUnknown, place, Position, Seq } from "@persist/core"
import { atOnce, suspended } from "@persist/core/posted"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import { resultText } from "./contents/commits.ts"
import type { Contents } from "./contents/contents.ts"
import { classify, stopped, Unsettled } from "./error.ts"
import type { Journal } from "./journal.ts"
import { beginFrame, endFrame } from "./log/frame.ts"
import { Out } from "./log/out.ts"
import {
  writeEvent,
  writeIdentified,
  writeNothing,
  writePut,
  writeTombstone,
  writeTruncation
} from "./log/write-record.ts"
import { DamagedRun, DiskFault, type Tree } from "./tree/tree.ts"

/** What writing needs of a handle. */
export interface WriterOptions {
  readonly directory: string
  readonly journal: Journal
  readonly contents: Contents
  readonly tree: Tree
  /** Called after a batch that changed something. */
  readonly notify: () => void
  /** Called when a segment was sealed. */
  readonly onSealed: () => void
  /** Called after a batch by which much may have come to be needed no more. */
  readonly onRemoved: () => void
}

// What is longer is sealed when the store is closed, so that opening it has less to read.
const smallTail = 1024 * 1024

// The most streams that the index isn't told of yet, and keys; and fewer the nearer the segment's end is: one for so
// many bytes. Those that are written again and again are told once, and whoever seals has little left to tell.
const mostWaiting = 64 * 1024
const bytesEach = 256

// Memory kept between batches for the frame.
const usualFrame = 1024 * 1024

/** The writing side of a handle. */
export class Writer {
  private readonly options: WriterOptions
  private readonly standing: Standing
  private readonly out = new Out(usualFrame)
  /** The last position given out, with those of the batch that is on its way. */
  private head: Position
  private stopped: Unsettled | undefined

  constructor(options: WriterOptions) {
    const { commits, keys, streams } = options.contents
    this.options = options
    this.standing = { lastSeq: streams.lastSeq, revision: keys.revision, recorded: commits.recorded }
    this.head = options.journal.open.head
  }

  /** See `BackendShape.commit`. Where it can't vouch for what was written it fails with `OutcomeUnknown`, and stops. */
  readonly commit: BackendShape["commit"] = (batch) =>
    suspended((): ReturnType<BackendShape["commit"]> => {
      if (this.stopped !== undefined) return Effect.fail(stopped("commit", this.stopped))
      const attempt = atOnce(() => this.run(batch), (cause) => this.abandon(cause, batch))
      return this.options.journal.left > 0 ? attempt : Effect.andThen(this.rotate, attempt)
    })

  /** Why a commit that isn't found can't be said never to have happened; `undefined` where it can. */
  get unsettled(): BackendError | undefined {
    return this.stopped && stopped("resolve", this.stopped)
  }

  /** Seals the open segment and begins the next, once what was sealed before is in the index for good. */
  readonly rotate: Effect.Effect<void, BackendError> = Effect.suspend(() =>
    Effect.andThen(
      Effect.mapError(this.options.tree.sealed, (error) => this.explain("commit", error)),
      Effect.try({ try: () => this.seal(), catch: (cause) => this.explain("commit", cause) })
    )
  )

  /** Leaves the store so that whoever opens it next has little to read. What can't be done now is done then. */
  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    const { directory, journal, tree } = this.options
    if (this.stopped !== undefined) return Effect.void
    const sealed = journal.open.end > smallTail ? this.rotate : Effect.void
    return sealed.pipe(
      Effect.andThen(Effect.mapError(tree.sealed, (error) => this.explain("close", error))),
      Effect.andThen(Effect.try({ try: () => this.retire(), catch: (cause) => this.explain("close", cause) })),
      Effect.catch((error) => Effect.logWarning(`${directory} was left as it was: ${error.message}`))
    )
  })

  private retire(): void {
    const { journal, tree } = this.options
    const damaged = tree.damaged()
    // Nobody had to be told, and whoever opens the store next makes it anew.
    if (damaged !== undefined) this.discardIndex(damaged)
    journal.retire()
  }

  private seal(): void {
    const { contents, journal, tree } = this.options
    contents.flush()
    journal.rotate()
    tree.seal(journal.open.first - 1)
    this.options.onSealed()
  }

  private run(batch: NonEmptyReadonlyArray<Commit>): NonEmptyReadonlyArray<Outcome> {
    const { contents, contents: { undo }, journal } = this.options
    // It may have to read the index, which may fail: before anything is written, so that nothing has happened then.
    contents.flush(Math.ceil(Math.min(mostWaiting, journal.left / bytesEach)))
    undo.begin()
    this.out.clear(usualFrame)
    beginFrame(this.out, journal.open)
    const empty = this.out.length
    const outcomes = NonEmpty.map(batch, (commit) => this.decide(commit))
    if (this.out.length > empty) {
      const chain = endFrame(this.out, 0, this.head)
      journal.append(this.out.bytes.subarray(0, this.out.length), { head: this.head, chain })
      this.options.notify()
    }
    undo.keep()
    if (batch.some(removesMuch)) this.options.onRemoved()
    return outcomes
  }

  private decide(commit: Commit): Outcome {
    const { contents } = this.options
    const verdict = judge(commit, this.standing)
    if (verdict !== undefined) return verdict
    const placed = place(commit, this.head, this.standing.lastSeq, contents.keys.count)
    this.append(commit, placed)
    for (const [i, write] of commit.write.entries()) this.write(write, placed.revisions[i] ?? this.head, commit.at)
    let position = placed.position - commit.truncate.length
    for (const { before, stream } of commit.truncate) this.shorten(stream, before, Position(++position))
    if (commit.identity !== undefined) {
      const { digest, id } = commit.identity
      const result = resultText(placed)
      writeIdentified(this.out, { id, digest, result, position: placed.position })
      contents.commits.record(id, digest, result)
    }
    this.head = placed.position
    return placed
  }

  private append({ append }: Commit, { appended }: Committed): void {
    for (let i = 0; i < append.length; i++) {
      const asked = append[i]
      const placed = appended[i]
      if (asked === undefined || placed === undefined) continue
      let position: number = placed.firstPosition
      let seq: number = placed.first
      for (const event of asked.events) {
        this.next()
        writeEvent(this.out, asked.stream, seq++, position++, event)
      }
      this.options.contents.streams.append(asked.stream, asked.events.length, placed.firstPosition)
    }
  }

  private write(write: Write, revision: Position, at: number): void {
    const { contents: { keys } } = this.options
    const { namespace } = write
    if (write._tag === "Put") {
      const { key, meta, value } = write
      this.next()
      writePut(this.out, { namespace, key, value, meta, revision, at })
      keys.write(namespace, key, { revision, lives: true })
    } else if (write._tag === "Clear") {
      const living = keys.living(namespace)
      let each = revision - living.length
      for (const key of living) this.bury(namespace, key, Position(++each), at)
    } else if (keys.revision(namespace, write.key) > 0) {
      this.bury(namespace, write.key, revision, at)
    } else this.leave(revision)
  }

  private bury(namespace: string, key: string, revision: Position, at: number): void {
    this.next()
    writeTombstone(this.out, { namespace, key, revision, at })
    this.options.contents.keys.write(namespace, key, { revision, lives: false })
  }

  private shorten(stream: string, before: number, position: Position): void {
    const { contents: { streams } } = this.options
    const last = streams.lastSeq(stream)
    const first = Seq(Math.min(before, last + 1))
    if (first <= streams.firstSeq(stream)) return this.leave(position)
    this.next()
    writeTruncation(this.out, { stream, first, last, position })
    streams.shorten(stream, first, last)
  }

  // A position that is taken by what changes nothing.
  private leave(position: Position): void {
    this.next()
    writeNothing(this.out, position)
  }

  // The record that comes next in the frame has the next position.
  private next(): void {
    const { open } = this.options.journal
    open.offsets.push(open.end + this.out.length)
  }

  private abandon(cause: unknown, batch: ReadonlyArray<Commit>): BackendError {
    const { contents: { undo }, journal: { open } } = this.options
    undo.takeBack()
    open.offsets.cut(open.head - open.first + 1)
    this.head = open.head
    const error = this.explain("commit", cause)
    if (!(cause instanceof Unsettled)) return error
    return new OutcomeUnknown({
      id: batch.length === 1 ? batch[0]?.identity?.id : undefined,
      reason: `the store stopped after ${cause.message}`,
      cause
    })
  }

  /** What a failure on this handle means. One after which it can't be vouched for what is written stops the writing. */
  readonly explain = (operation: string, cause: unknown): BackendError => {
    if (cause instanceof DiskFault) return this.explain(operation, cause.cause)
    if (cause instanceof Unsettled) this.stopped = cause
    if (cause instanceof DamagedRun) this.stopped ??= this.discardIndex(cause)
    return classify(operation, this.options.directory, cause)
  }

  private discardIndex(cause: DamagedRun): Unsettled {
    const why = new Unsettled("its index was found damaged", cause)
    try {
      this.options.journal.discardIndex(why)
    } catch {
      // Then the next opening meets the damage itself, or the next handle does.
    }
    return why
  }
}

const removesMuch = ({ truncate, write }: Commit): boolean =>
  truncate.length > 0 || write.some(({ _tag }) => _tag === "Clear")
