/** Imports one input: finds how far it has come before, and goes on from there, line by line, batch by batch. */
import type { About, StoreError, StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { isUtf8 } from "node:buffer"
import { createHash } from "node:crypto"
import { type LineEvent, parseEventLine } from "./event-line.ts"
import { exitCode } from "./exit-code.ts"
import { Failure, misuse } from "./failure.ts"
import { Batch } from "./import-batch.ts"
import * as Record from "./import-record.ts"
import type { Input } from "./input.ts"
import { isBlank, type Line, LineCutter } from "./lines.ts"
import { counted, printable } from "./printable.ts"
import type { Progress } from "./progress.ts"
import type { SetAside } from "./set-aside.ts"

/** How an input is imported. */
export interface ImportOptions {
  /** Remembers the input under this name instead of by what it begins with. */
  readonly name: string | undefined
  /** Opens the file that bad lines are set aside to; without it the first bad line stops the import. */
  readonly openSetAside: ((recorded: Record.ImportRecord["setAside"]) => Effect.Effect<SetAside, Failure>) | undefined
}

/** One run over one input. Everything before `committed` is in the store, and nothing after it. */
export class Importer {
  private readonly store: StoreShape
  private readonly input: Input
  private readonly options: ImportOptions
  private readonly progress: Progress
  private readonly records: Record.ImportRecords
  private readonly cutter = new LineCutter()
  /** Of all lines so far, without the line end of the last one. */
  private readonly hash = createHash("sha256")
  private lineEnd: Uint8Array = new Uint8Array()
  private batch: Batch
  private key: string | undefined
  private claimed: Record.Claimed | undefined
  private setAside: SetAside | undefined
  /** Whether there is something to record beyond what's committed. */
  private moved = false
  private lines = 0
  private bytes = 0
  private events = 0
  private skipped = 0
  private setAsideBytes = 0
  /** What earlier runs left; `undefined` where this is the first. */
  before: Record.ImportRecord | undefined
  /** What is in the store now. */
  committed: Record.ImportRecord | undefined

  constructor(store: StoreShape, input: Input, options: ImportOptions, progress: Progress) {
    this.store = store
    this.input = input
    this.options = options
    this.progress = progress
    this.records = Record.importRecords(store)
    this.batch = new Batch(store.about)
  }

  /**
   * Imports everything up to the end of the input or the first bad line; interrupting it leaves whole batches.
   * Fails with `Failure` for a bad line, a changed input, one that can't be read, or a claim that was lost.
   */
  readonly run: Effect.Effect<void, StoreError | Failure> = Effect.gen({ self: this }, function*() {
    if (this.options.name !== undefined) yield* this.identify(Record.keyOfName(this.options.name))
    for (;;) {
      const chunk = yield* Effect.tapError(this.next, () => this.flush)
      const lines = chunk === undefined ? this.cutter.finish() : this.cutter.push(chunk)
      yield* this.take(lines)
      if (this.cutter.tooLong !== undefined) {
        yield* this.flush
        return yield* badLine(this.cutter.tooLong, "line", "is longer than 64 MiB", "write one event a line")
      }
      if (chunk === undefined) break
    }
    if (this.before !== undefined && this.bytes < this.before.bytes) return yield* changed(this.input, this.before)
    yield* this.flush
  })

  /** The next bytes; while they are waited for, what was collected is committed: a slow input holds up nothing. */
  private readonly next: Effect.Effect<Uint8Array | undefined, StoreError | Failure> = Effect.suspend(() =>
    this.moved
      ? Effect.flatMap(Effect.forkChild(this.input.next, { startImmediately: true }), (reading) =>
        Effect.timeoutOption(Fiber.await(reading), patience).pipe(
          Effect.tap((come) =>
            Option.isNone(come) ? this.flush : Effect.void
          ),
          Effect.andThen(Fiber.join(reading))
        ))
      : this.input.next
  )

  private readonly take = Effect.fnUntraced(function*(this: Importer, lines: ReadonlyArray<Line>) {
    if (this.key === undefined) {
      const first = lines.find((line) => !isBlank(line))
      if (first !== undefined) yield* this.identify(Record.keyOfFirstLine(sha256(first.text)))
    }
    for (let at = 0; at < lines.length;) {
      const stop = this.collect(lines, at)
      at = stop.next
      if (stop.fault !== undefined || this.batch.full) yield* this.flush
      if (stop.fault !== undefined) return yield* stop.fault
    }
  })

  /** Finds out what earlier runs have done with this input. */
  private readonly identify = Effect.fnUntraced(function*(this: Importer, key: string) {
    this.key = key
    this.before = yield* Record.readRecord(this.records, key)
    const { path } = this.input
    if (this.before === undefined && path !== undefined && this.options.name === undefined) {
      const other = yield* Record.otherRecordOf(this.records, path, key)
      if (other !== undefined) return yield* changed(this.input, undefined)
    }
    this.committed = this.before
    this.setAside = yield* this.options.openSetAside?.(this.before?.setAside) ?? Effect.undefined
  })

  /** Collects lines until the batch is full or a line can't be taken. */
  private collect(lines: ReadonlyArray<Line>, from: number): { readonly next: number; readonly fault?: Failure } {
    for (let at = from; at < lines.length; at++) {
      const line = lines[at]
      if (line === undefined) break
      const fault = this.isDone(line) ? this.skim(line) : this.collectOne(line)
      if (fault !== undefined) return { next: at + 1, fault }
      if (this.batch.full) return { next: at + 1 }
    }
    return { next: lines.length }
  }

  private isDone({ end }: Line): boolean {
    return this.before !== undefined && end <= this.before.bytes
  }

  /** Passes over a line that an earlier run has been through; the last of them proves that all are what they were. */
  private skim(line: Line): Failure | undefined {
    this.advance(line)
    const { before } = this
    if (before === undefined || line.end < before.bytes) return undefined
    this.events = before.events
    this.skipped = before.skipped
    this.setAsideBytes = this.setAside?.file === before.setAside?.file ? before.setAside?.bytes ?? 0 : 0
    return this.fingerprint() === before.sha256 ? undefined : changed(this.input, before)
  }

  private collectOne(line: Line): Failure | undefined {
    // What an earlier run was through ended inside of what is one line now.
    if (this.before !== undefined && this.bytes < this.before.bytes) return changed(this.input, this.before)
    if (isBlank(line)) {
      this.advance(line)
      return undefined
    }
    const parsed = parseLine(this.store.about, line)
    if (Result.isFailure(parsed)) return this.refuse(line, parsed.failure)
    if (!this.batch.joins(parsed.success.stream)) this.batch.seal(this.record())
    this.batch.add(parsed.success)
    this.advance(line)
    this.events++
    this.moved = true
    return undefined
  }

  private refuse(line: Line, { field, reason, remedy }: BadLine): Failure | undefined {
    if (this.setAside === undefined) return badLine(line.number, field, reason, remedy)
    this.progress.say(printable(`skipped: line ${line.number}: ${field}: ${reason}`))
    this.setAsideBytes = this.setAside.add(line.text)
    this.advance(line)
    this.skipped++
    this.moved = true
    return undefined
  }

  private advance({ content, end, lineEnd, number }: Line): void {
    this.hash.update(this.lineEnd).update(content)
    this.lineEnd = lineEnd
    this.lines = number
    this.bytes = end
  }

  private record(): Record.ImportRecord {
    const { bytes, events, input, lines, setAside, setAsideBytes, skipped } = this
    return {
      ...(input.path === undefined ? {} : { source: input.path }),
      lines,
      bytes,
      sha256: this.fingerprint(),
      events,
      skipped,
      ...(setAside === undefined ? {} : { setAside: { file: setAside.file, bytes: setAsideBytes } })
    }
  }

  private fingerprint(): string {
    return this.hash.copy().digest("hex")
  }

  /** Commits what has been collected. */
  private readonly flush: Effect.Effect<void, StoreError | Failure> = Effect.gen({ self: this }, function*() {
    if (!this.moved || this.key === undefined) return
    const record = this.record()
    this.batch.seal(record)
    this.setAside?.flush()
    this.claimed ??= yield* this.claim(this.key)
    const conflict = yield* this.batch.commit(this.store, this.records, this.claimed)
    if (conflict !== undefined) return yield* overtaken(this.input)
    this.committed = record
    this.batch = new Batch(this.store.about)
    this.moved = false
    this.progress.update({ amount: this.input.bytesRead(), things: this.events - (this.before?.events ?? 0) })
  })

  /** Claims the input, unless another run has moved on with it since this one looked. */
  private readonly claim = Effect.fnUntraced(function*(this: Importer, key: string) {
    const claimed = yield* Record.claim(this.records, key)
    const now = yield* Record.readRecord(this.records, key)
    if (now?.bytes !== this.before?.bytes) return yield* overtaken(this.input)
    return claimed
  })
}

/** How long lines wait for more of them, in milliseconds. */
const patience = 200

type BadLine = Pick<Failure, "field" | "reason" | "remedy">

const parseLine = (about: About, { text }: Line): Result.Result<LineEvent, BadLine> => {
  if (!isUtf8(text)) return Result.fail({ field: "line", reason: "is no UTF-8 text", remedy: "write it as UTF-8" })
  const parsed = parseEventLine(about, Buffer.from(text.buffer, text.byteOffset, text.length).toString())
  if (Result.isSuccess(parsed)) return Result.succeed(parsed.success)
  const fault = parsed.failure
  if (fault._tag === "Invalid") return Result.fail(fault)
  const { actual, field, limit, remedy, unit } = fault
  return Result.fail({ field, reason: `${actual} ${unit} is over the limit of ${limit}`, remedy })
}

const badLine = (line: number, field: string, reason: string, remedy: string): Failure =>
  new Failure({
    exitCode: exitCode.usage,
    field: `line ${line}`,
    reason: `${field}: ${reason}`,
    remedy: `${remedy}; everything before it is imported, and the same command goes on from there`,
    details: { line }
  })

const changed = ({ name }: Input, before: Record.ImportRecord | undefined): Failure =>
  misuse(
    "file",
    before === undefined
      ? `${name} begins otherwise than the file that was imported from there before`
      : `${name} differs from what was imported before, within its first ${counted(before.lines, "line")}`,
    "put it back as it was, or import it as another input with --name"
  )

const overtaken = ({ name }: Input): Failure =>
  new Failure({
    exitCode: exitCode.conflict,
    field: "file",
    reason: `another import of ${name} has taken over`,
    remedy: "let it finish; to go on from where it stops, run the same command again",
    details: { tag: "Conflict" }
  })

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")
