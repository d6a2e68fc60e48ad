/** Carrying a plan out: in one commit where it fits into one, otherwise in as few as keep the events' order. */
import {
  appendRaw,
  type Conflict,
  type Expectation,
  type Op,
  type Payload,
  payloadBytes,
  putRaw,
  type RawEvent,
  type StoreError,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { readEntryFile } from "./entry-file.ts"
import type { LineEvent } from "./event-lines.ts"
import { contentOf, type FilesError, onFiles } from "./file-read.ts"
import type { Plan, PlannedPut, PlannedStream, TreeConflict } from "./import-plan.ts"
import { readEventsFile } from "./import-streams.ts"
import { inOrder, type StreamEvent } from "./merge.ts"
import { eventsPath, fileStart, formOf, keyPath } from "./tree-path.ts"

// More in one flush gains nothing; as `persist import` does it.
const flushItems = 1000
const flushBytes = 8 * 1024 * 1024

/** What a carried out plan came to. */
export interface CarriedOut {
  readonly commits: number
  /** What others changed while the plan was made: nothing of those commits happened. */
  readonly conflicts: ReadonlyArray<TreeConflict>
}

/** Carries a plan out. Whatever ends it, whole commits have happened, and the same import goes on from there. */
export const carryOut = (
  store: StoreShape,
  root: string,
  { deletes, puts, streams }: Plan
): Effect.Effect<CarriedOut, FilesError> =>
  Effect.gen(function*() {
    const packer = new Packer(store)
    for (const put of puts) {
      const { bytes, op } = yield* onFiles(() => putOf(root, put))
      yield* packer.add([op], 1, bytes)
    }
    for (const { expected, key, namespace } of deletes) {
      yield* packer.add([store.kv(namespace).ops.delete(key, { expected })], 1, 0)
    }
    for (const stream of streams) yield* restoreRemoved(store, packer, stream)
    yield* appendAll(packer, root, streams)
    return yield* packer.finish
  })

const putOf = async (root: string, { expected, path }: PlannedPut) => {
  const entry = Result.getOrThrow(readEntryFile(path, await contentOf(root, path)))
  return { op: putRaw(entry, { expected }), bytes: payloadBytes(entry.value) + payloadBytes(entry.meta ?? "") }
}

const nothing: RawEvent = { type: "Removed", data: "null", meta: undefined, at: 0, id: undefined }

/** Brings a stream to the seq that the tree begins after: events that are removed by the commit that appends them. */
const restoreRemoved = Effect.fnUntraced(function*(
  store: StoreShape,
  packer: Packer,
  { last, removed, stream }: PlannedStream
) {
  // One place is the removal's.
  const most = store.about.limits.commitEvents - 1
  for (let seq = last; seq < removed;) {
    const count = Math.min(most, removed - seq)
    const append = appendRaw(stream, Array.from({ length: count }, () => nothing), { expected: seq })
    yield* packer.end
    yield* packer.add([append, store.log().ops.truncate(stream, seq + count + 1)], count + 1, count * "null".length)
    yield* packer.end
    seq += count
  }
})

/** Appends the new events in their order: a commit names each stream once, so one that comes back begins another. */
const appendAll = Effect.fnUntraced(function*(packer: Packer, root: string, streams: ReadonlyArray<PlannedStream>) {
  const events = inOrder(streams, async (path) => (await readEventsFile(root, path)).events)
  const named = new Set<string>()
  let run: Array<LineEvent> = []
  let stream = ""
  const endRun = Effect.suspend(() => {
    const [first] = run
    if (first === undefined) return Effect.void
    const op = appendRaw(stream, run.map(rawOf), { expected: first.seq - 1 })
    const bytes = run.reduce((sum, event) => sum + bytesOf(event), 0)
    const items = run.length
    run = []
    return packer.add([op], items, bytes)
  })
  let runBytes = 0
  while (true) {
    const some = yield* onFiles(() => take(events, flushItems))
    for (const { event, stream: of } of some) {
      const bytes = bytesOf(event)
      const full = !packer.holds(run.length + 1, runBytes + bytes)
      if (of !== stream || full) {
        yield* endRun
        runBytes = 0
        if (named.has(of) || full) {
          yield* packer.end
          named.clear()
        }
        stream = of
        named.add(of)
      }
      run.push(event)
      runBytes += bytes
    }
    if (some.length < flushItems) break
  }
  yield* endRun
})

const take = async (events: AsyncGenerator<StreamEvent>, most: number): Promise<ReadonlyArray<StreamEvent>> => {
  const some: Array<StreamEvent> = []
  while (some.length < most) {
    const next = await events.next()
    if (next.done === true) break
    some.push(next.value)
  }
  return some
}

const rawOf = ({ at, data, id, meta, type }: LineEvent): RawEvent => ({ type, at, data, meta, id })

const bytesOf = ({ data, meta }: { readonly data: Payload; readonly meta: string | undefined }): number =>
  payloadBytes(data) + payloadBytes(meta ?? "")

interface Step {
  readonly ops: Array<Op>
  items: number
  bytes: number
}

/** Fills commits up to the store's limits, and hands them over so that many share a flush. */
class Packer {
  private readonly store: StoreShape
  private step: Step = { ops: [], items: 0, bytes: 0 }
  private steps: Array<Step> = []
  private commits = 0
  private readonly conflicts: Array<TreeConflict> = []

  constructor(store: StoreShape) {
    this.store = store
  }

  /** Whether so much more still fits into the commit. */
  holds(items: number, bytes: number): boolean {
    const { commitBytes, commitEvents } = this.store.about.limits
    return this.step.items + items <= commitEvents && this.step.bytes + bytes <= commitBytes
  }

  /** Adds operations to the commit, or to the next one where they don't fit. */
  readonly add = Effect.fnUntraced(function*(this: Packer, ops: ReadonlyArray<Op>, items: number, bytes: number) {
    if (!this.holds(items, bytes)) yield* this.end
    this.step.ops.push(...ops)
    this.step.items += items
    this.step.bytes += bytes
  })

  /** Ends the commit. */
  readonly end: Effect.Effect<void, StoreError> = Effect.suspend(() => {
    if (this.step.ops.length > 0) this.steps.push(this.step)
    this.step = { ops: [], items: 0, bytes: 0 }
    const items = this.steps.reduce((sum, step) => sum + step.items, 0)
    const bytes = this.steps.reduce((sum, step) => sum + step.bytes, 0)
    return items >= flushItems || bytes >= flushBytes ? this.flush : Effect.void
  })

  /** Ends the last commit, and answers what became of all. */
  readonly finish: Effect.Effect<CarriedOut, StoreError> = Effect.suspend(() =>
    this.end.pipe(
      Effect.andThen(this.flush),
      Effect.map(() => ({ commits: this.commits, conflicts: this.conflicts }))
    )
  )

  // Each commit says what it expects of its streams, so that none of a stream's can happen without those before it.
  private readonly flush: Effect.Effect<void, StoreError> = Effect.suspend(() => {
    const { steps } = this
    this.steps = []
    return Effect.map(
      Effect.forEach(steps, ({ ops }) => this.store.commit(ops), { concurrency: "unbounded" }),
      (outcomes) => {
        for (const outcome of outcomes) {
          if (outcome._tag === "Conflict") this.conflicts.push(conflictOf(outcome))
          else this.commits++
        }
      }
    )
  })
}

const conflictOf = ({ actual, expectation }: Conflict): TreeConflict => ({
  path: placeOf(expectation),
  reason: `somebody changed it in the store meanwhile (it is at ${actual})`
})

const placeOf = (expectation: Expectation): string => {
  if (expectation._tag === "Stream") {
    const { expected, stream } = expectation
    return eventsPath(stream, fileStart(expected === "exists" ? 1 : expected + 1)).path
  }
  const { path, whole } = keyPath(expectation)
  return path + formOf({ ...expectation, value: "", meta: undefined }, whole)
}
