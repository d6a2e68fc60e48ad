/** Lines on their way into the store: in commits that keep the file's order, flushed together. */
import type { About, Conflict, EventInput, Json, Op, StoreError, StoreShape } from "@persist/core"
import type { NonEmptyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { LineEvent } from "./event-line.ts"
import type { Claimed, ImportRecord, ImportRecords } from "./import-record.ts"

type AnyInput = EventInput<string, Json | Uint8Array>

interface Run {
  readonly stream: string
  readonly events: NonEmptyArray<AnyInput>
}

/** What one commit brings: events in the order of their lines, and how far the import has come with them. */
interface Step {
  readonly runs: ReadonlyArray<Run>
  readonly record: ImportRecord
}

// More events in one flush gain nothing; a batch must also fit into one flush of the committer, and into one commit.
const batchEvents = 1000
const batchBytes = 8 * 1024 * 1024

/**
 * Collects events in order. A commit's events lie together, stream by stream, and it names each stream once; so where a
 * stream comes back after others, a new commit begins, and the store's order is that of the lines.
 */
export class Batch {
  private readonly steps: Array<Step> = []
  private readonly most: number
  private runs: Array<Run> = []
  private readonly streams = new Set<string>()
  /** Events collected. */
  events = 0
  private bytes = 0

  constructor({ limits }: About) {
    // One place is the record's.
    this.most = Math.min(batchEvents, limits.commitEvents - 1)
  }

  /** Whether the batch is to be committed before more is added. */
  get full(): boolean {
    return this.events >= this.most || this.bytes >= batchBytes
  }

  /** Whether an event of this stream can join the commit that's being collected, or that must be sealed first. */
  joins(stream: string): boolean {
    return this.runs.at(-1)?.stream === stream || !this.streams.has(stream)
  }

  /** Adds an event to the commit that's being collected. */
  add({ bytes, event, stream }: LineEvent): void {
    const last = this.runs.at(-1)
    if (last?.stream === stream) last.events.push(event)
    else {
      this.runs.push({ stream, events: [event] })
      this.streams.add(stream)
    }
    this.events++
    this.bytes += bytes
  }

  /** Ends the commit that's being collected, which may have no events: this is how far the import has come with it. */
  seal(record: ImportRecord): void {
    this.steps.push({ runs: this.runs, record })
    this.runs = []
    this.streams.clear()
  }

  /**
   * Commits everything that is sealed, uninterruptibly. All commits are handed over in one turn, so that they are
   * flushed as one: then no later one can happen without those before it. Answers a `Conflict` where another import has
   * claimed the input.
   */
  commit(
    store: StoreShape,
    { claims, records }: ImportRecords,
    { key, revision }: Claimed
  ): Effect.Effect<Conflict | undefined, StoreError> {
    const log = store.log()
    const opsOf = ({ record, runs }: Step): ReadonlyArray<Op> => [
      ...runs.map(({ events, stream }) => log.ops.append(stream, events, { expected: "any" })),
      claims.ops.check(key, revision),
      records.ops.put(key, record)
    ]
    const submit = Effect.map(Effect.context<never>(), (context) => {
      const fibers: Array<Fiber.Fiber<{ readonly _tag: "Committed" } | Conflict, StoreError>> = []
      for (const step of this.steps) {
        const fiber = Effect.runForkWith(context)(store.commit(opsOf(step)))
        fibers.push(fiber)
        // One that is refused at once was never handed over: nothing may follow it.
        const done = fiber.pollUnsafe()
        if (done !== undefined && Exit.isFailure(done)) break
      }
      return fibers
    })
    return Effect.uninterruptible(Effect.flatMap(
      submit,
      Effect.fnUntraced(function*(fibers) {
        let conflict: Conflict | undefined
        for (const exit of yield* Fiber.awaitAll(fibers)) {
          const outcome = yield* exit
          if (outcome._tag === "Conflict") conflict ??= outcome
        }
        return conflict
      })
    ))
  }
}
