/** Writing: one transaction for a whole batch, each commit judged against the ones before it. */
import type { BackendError, BackendShape, Commit, Committed, Outcome, Recorded, Standing } from "@persist/core"
import { judge, origin, OutcomeUnknown, place, Position, Seq, Unavailable } from "@persist/core"
import { atOnce } from "@persist/core/posted"
import type Database from "better-sqlite3"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { codeOf, explain, isBusy, movedFile } from "./error.ts"
import type { Names } from "./names.ts"
import { oneAppendOf, OneEventWriter } from "./one-event.ts"
import * as queries from "./queries.ts"
import { encodeResult } from "./recorded.ts"
import { currentFormat, formatOf, incarnationOf, unsupportedFormat } from "./schema.ts"
import { Tails } from "./tails.ts"
import { KeyWriter } from "./write-kv.ts"
import { EventWriter } from "./write-log.ts"

/** What writing shares with reading on one handle. */
export interface Shared {
  readonly db: Database.Database
  /** What the store's was when it was opened. */
  readonly incarnation: string
  readonly types: Names
  readonly namespaces: Names
  readonly recorded: (id: string) => Recorded | undefined
  /** Whether the path has come to name another file, where commits would be lost; throws where that can't be told. */
  readonly moved: () => boolean
  /** Whether the log may hold a commit that nobody sees yet. */
  readonly holdsMore: () => boolean
  /** Called after a batch that changed something. */
  readonly notify: () => void
}

type Stage = "idle" | "begun" | "alone" | "committing"

/** The writing side of a handle: the statements, and what it remembers of the file between batches. */
export class Writer {
  private readonly shared: Shared
  private readonly sql: ReturnType<typeof prepare>
  private readonly events: EventWriter
  private readonly oneEvent: OneEventWriter
  private readonly keys: KeyWriter
  private readonly standing: Standing
  private readonly tails: Tails
  /** What `PRAGMA data_version` said when the memory below was filled. */
  private version = -1
  private head: Position | undefined
  /**
   * Whether the last position given out is an event's, and so can be read from it. Never reset between batches, nor by
   * a failed one: it is asked only in a batch that moved the head, and whatever moves the head sets it anew.
   */
  private headIsEvent = true
  private stage: Stage = "idle"
  /** Whether a COMMIT failed whose frames may still lie in the log, to be found after a crash, until the next write. */
  private unsettled = false

  constructor(shared: Shared) {
    this.shared = shared
    this.sql = prepare(shared.db)
    this.events = new EventWriter(shared.db)
    this.tails = new Tails(shared.db)
    this.oneEvent = new OneEventWriter(shared.db, shared.incarnation)
    this.keys = new KeyWriter(shared.db, shared.namespaces)
    this.standing = {
      lastSeq: (stream) => this.tails.of(stream).last,
      revision: this.keys.revision,
      recorded: shared.recorded
    }
  }

  /** See `BackendShape.commit`. Fails with `OutcomeUnknown` only where COMMIT itself failed in reading or writing. */
  readonly commit: BackendShape["commit"] = (batch) =>
    atOnce(() => this.run(batch), (cause) => this.abandon(cause, batch))

  /**
   * One commit, after something else in its transaction: both happen, or neither where `first` answers false (then
   * there is no outcome), or the commit doesn't. Fails as {@link commit}.
   */
  readonly together = (commit: Commit, first: () => boolean): Effect.Effect<Outcome | undefined, BackendError> =>
    Effect.try({ try: () => this.join(commit, first), catch: (cause) => this.abandon(cause, [commit]) })

  /**
   * Makes sure that no COMMIT comes to light which isn't there now, by writing over what a failed one, or one of a
   * process that was killed, may have left in the log. Fails with what the driver's failure means, `Unavailable` above
   * all; does nothing where the log holds no more than is seen.
   */
  readonly settle: Effect.Effect<void, BackendError> = Effect.try({
    try: () => {
      if (this.unsettled || this.shared.holdsMore()) this.skipPosition()
    },
    catch: (cause) => this.stillUnsettled(cause)
  })

  private run(batch: NonEmptyReadonlyArray<Commit>): NonEmptyReadonlyArray<Outcome> {
    this.demandPlace()
    const alone = this.alone(batch)
    if (alone !== undefined) return [alone]
    const before = this.begin()
    const outcomes = NonEmpty.map(batch, (commit) => this.decide(commit))
    this.end(before)
    return outcomes
  }

  // By one statement in place of three and a look; `undefined` where it takes more, or not all is as it's remembered.
  private alone(batch: NonEmptyReadonlyArray<Commit>): Committed | undefined {
    const append = oneAppendOf(batch)
    const tail = append && this.tails.recall(append.stream)
    if (append === undefined || tail === undefined || tail.id === 0 || this.head === undefined) return undefined
    const [event] = append.events
    const type = this.shared.types.idOf(event.type)
    if (type === undefined || this.sql.dataVersion.get() !== this.version) return undefined
    if (judge(batch[0], this.standing) !== undefined) return undefined
    const placed = place(batch[0], this.head, this.standing.lastSeq, this.keys.count)
    const seq = Seq(tail.last + 1)
    this.stage = "alone"
    const happened = this.oneEvent.write({ position: placed.position, stream: tail.id, seq, type }, event, this.head)
    this.stage = "idle"
    if (!happened) return undefined
    tail.last = seq
    this.head = placed.position
    this.moved()
    return placed
  }

  private join(commit: Commit, first: () => boolean): Outcome | undefined {
    this.demandPlace()
    const before = this.begin()
    const outcome = first() ? this.decide(commit) : undefined
    if (outcome?._tag === "Committed") this.end(before)
    else this.undo()
    return outcome
  }

  private skipPosition(): void {
    this.demandPlace()
    const before = this.begin()
    this.head = Position(before + 1)
    this.headIsEvent = false
    this.end(before)
  }

  // SQLite would go on writing to a file without a name.
  private demandPlace(): void {
    if (this.shared.db.open && this.shared.moved()) throw movedFile("commit")
  }

  private begin(): Position {
    this.sql.begin.run()
    this.stage = "begun"
    const version = this.sql.dataVersion.get() ?? 0
    if (version !== this.version || this.head === undefined || this.tails.isFull) {
      this.forget()
      const format = formatOf(this.shared.db)
      if (format !== currentFormat) throw unsupportedFormat(format, "open it again to migrate it")
      // A checkpoint would be saved as of a history that is no longer the store's.
      if (incarnationOf(this.shared.db) !== this.shared.incarnation) throw renewed()
      this.version = version
      this.head = Position(this.sql.head.get() ?? 0)
    }
    return this.head
  }

  private end(before: Position): void {
    this.events.flush()
    const head = this.head ?? before
    if (head !== before && !this.headIsEvent) this.sql.keepHead.run(head)
    this.stage = "committing"
    this.sql.commit.run()
    this.stage = "idle"
    if (head !== before) this.moved()
  }

  private moved(): void {
    this.unsettled = false
    this.shared.notify()
  }

  private decide(commit: Commit): Outcome {
    const verdict = judge(commit, this.standing)
    if (verdict !== undefined) return verdict
    const placed = place(commit, this.head ?? origin, this.standing.lastSeq, this.keys.count)
    this.append(commit, placed)
    this.keys.write(commit, placed)
    for (const { before, stream } of commit.truncate) this.truncate(stream, before)
    if (commit.identity !== undefined) {
      this.sql.record.run(commit.identity.id, commit.identity.digest, encodeResult(placed))
    }
    if (placed.position !== this.head) {
      this.head = placed.position
      this.headIsEvent = commit.write.length === 0 && commit.truncate.length === 0
    }
    return placed
  }

  private append({ append }: Commit, { appended }: Committed): void {
    for (let i = 0; i < append.length; i++) {
      const placed = appended[i]
      const asked = append[i]
      if (placed === undefined || asked === undefined) continue
      const tail = this.tails.make(asked.stream)
      let position: number = placed.firstPosition
      let seq: number = placed.first
      for (const event of asked.events) this.events.add(position++, tail.id, seq++, this.typeId(event.type), event)
      tail.last = placed.last
    }
  }

  private truncate(stream: string, before: Seq): void {
    const { id, last } = this.tails.of(stream)
    if (id === 0) return
    const first = Math.min(before, last + 1)
    this.events.flush()
    this.sql.deleteEvents.run(id, first)
    this.sql.keepFirst.run(first, id, first)
  }

  private typeId(type: string): number {
    const { types } = this.shared
    const known = types.idOf(type)
    if (known !== undefined) return known
    const id = Number(this.sql.insertType.run(type).lastInsertRowid)
    types.remember(id, type)
    return id
  }

  private forget(): void {
    this.tails.forget()
    this.head = undefined
  }

  private undo(): void {
    const { db, namespaces, types } = this.shared
    this.stage = "idle"
    this.forget()
    this.events.drop()
    types.forget()
    namespaces.forget()
    // Where SQLite has rolled back by itself there is nothing left to do.
    if (db.open && db.inTransaction) Result.try(() => this.sql.rollback.run())
  }

  private stillUnsettled(cause: unknown): BackendError {
    const error = this.abandon(cause, [])
    if (error._tag !== "OutcomeUnknown") return error
    return new Unavailable({
      operation: "resolve",
      reason: "the disk still fails, so that an earlier outcome stays unknown",
      remedy: "check the disk, then try again",
      cause
    })
  }

  private abandon(cause: unknown, batch: ReadonlyArray<Commit>): BackendError {
    const { db } = this.shared
    const stage = this.stage
    this.undo()
    const code = codeOf(cause)
    if (code === undefined || !isAmbiguous(stage, code)) return explain(db, "commit", cause)
    this.unsettled = true
    return new OutcomeUnknown({
      id: batch.length === 1 ? batch[0]?.identity?.id : undefined,
      reason: `the final write failed (${code})`,
      cause
    })
  }
}

// A statement that is a transaction of its own fails in its COMMIT by these; by others, before.
const isAmbiguous = (stage: Stage, code: string): boolean => {
  if (stage === "alone") return code.startsWith("SQLITE_IOERR") || code === "SQLITE_NOMEM"
  return stage === "committing" && !isBusy(code) && code !== "SQLITE_FULL"
}

const renewed = () =>
  new Unavailable({
    operation: "commit",
    reason: "the store was given another incarnation while it was open",
    remedy: "open it again",
    reopen: true
  })

const prepare = (db: Database.Database) => ({
  begin: db.prepare<[]>("BEGIN IMMEDIATE"),
  commit: db.prepare<[]>("COMMIT"),
  rollback: db.prepare<[]>("ROLLBACK"),
  dataVersion: db.prepare<[], number>("PRAGMA data_version").pluck(),
  head: db.prepare<[], number>(queries.head).pluck(),
  keepHead: db.prepare<[number]>("UPDATE store SET head = ?"),
  insertType: db.prepare<[string]>("INSERT INTO type (name) VALUES (?)"),
  deleteEvents: db.prepare<[number, number]>("DELETE FROM event WHERE stream = ? AND seq < ?"),
  keepFirst: db.prepare<[number, number, number]>("UPDATE stream SET first = ? WHERE id = ? AND first < ?"),
  record: db.prepare<[string, string, string]>("INSERT INTO recorded (id, digest, result) VALUES (?, ?, ?)")
})
