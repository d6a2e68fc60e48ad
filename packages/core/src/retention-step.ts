/** A step of retention: some streams, or a part of a long one, archived together and then removed in one commit. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type Archive, type Claim, isOvertaken, overtaken } from "./archive.ts"
import type { About } from "./backend.ts"
import { compactions } from "./compacted.ts"
import type { Op } from "./draft.ts"
import type { StoreError } from "./error.ts"
import { type RetentionCut, shortened } from "./retention-cut.ts"
import { Seq } from "./sequence.ts"
import type { StoreShape } from "./store.ts"
import { positionAt } from "./stream-places.ts"

/** The events of a cut that go in one step: seqs `from` to below `end`; none where all of them are held. */
export interface Part {
  readonly cut: RetentionCut
  readonly from: Seq
  readonly end: Seq
}

/** The most events of a step: few enough to be archived again after a crash, many enough to share two flushes. */
const stepEvents = 10_000

/** Deals cuts into steps, in order: each within the most events of a step and the most changes of a commit. */
export const stepsOf = (
  cuts: ReadonlyArray<RetentionCut>,
  { limits }: About
): ReadonlyArray<ReadonlyArray<Part>> => {
  // Each stream takes a note and a truncation, and the claim is written too.
  const most = Math.max(1, Math.floor((limits.commitEvents - 1) / 2))
  const steps: Array<Array<Part>> = []
  let room = 0
  for (const cut of cuts) {
    let from: number = cut.first - cut.removed
    do {
      if (room <= 0 || (steps.at(-1)?.length ?? most) >= most) {
        steps.push([])
        room = stepEvents
      }
      const end = Math.min(cut.first, from + room)
      steps.at(-1)?.push({ cut, from: Seq(from), end: Seq(end) })
      room -= end - from
      from = end
    } while (from < cut.first)
  }
  return steps
}

/** Where a step's events go first. */
export interface Archiving<E, R> {
  readonly archive: Archive<E, R>
  readonly claim: Claim
}

/**
 * Archives a step's events, then removes them; answers whether that happened, which it doesn't where a reader was
 * registered or one of the streams shortened since it was planned.
 */
export const finishStep = Effect.fnUntraced(function*<E, R>(
  store: StoreShape,
  parts: ReadonlyArray<Part>,
  registrations: Op,
  to: Archiving<E, R> | undefined
): Effect.fn.Return<boolean, StoreError | E, R> {
  const cutting = parts.filter(({ end, from }) => end > from)
  const changes = yield* changesOf(store, cutting)
  if (changes === undefined) return false
  if (to !== undefined) yield* to.archive.keep(to.claim.step, eventsOf(store, cutting))
  const ending = to === undefined ? [] : [to.claim.end]
  const outcome = yield* store.commit([...ending, registrations, ...changes])
  if (outcome._tag === "Committed") {
    to?.claim.committed(outcome.revisions[0] ?? outcome.position)
    return true
  }
  if (to === undefined || !isOvertaken(outcome)) return false
  yield* to.archive.discard(to.claim.step)
  return yield* Effect.fail(overtaken)
})

const eventsOf = (store: StoreShape, parts: ReadonlyArray<Part>) =>
  Stream.flatMap(
    Stream.fromIterable(parts),
    ({ cut: { stream }, end, from }) => store.log().read(stream, { from, to: Seq(end - 1) })
  )

/** The truncations and their notes; `undefined` where a stream was shortened since it was planned. */
const changesOf = Effect.fnUntraced(function*(
  store: StoreShape,
  parts: ReadonlyArray<Part>
): Effect.fn.Return<ReadonlyArray<Op> | undefined, StoreError> {
  const notes = compactions(store)
  const found = yield* notes.getMany(parts.map(({ cut }) => cut.stream))
  const throughs = yield* Effect.forEach(
    parts,
    ({ cut: { stream }, end }) => positionAt(store.engine, stream, end - 1),
    { concurrency: 16 }
  )
  const ops: Array<Op> = []
  for (const [i, { cut: { stream }, end, from }] of parts.entries()) {
    const note = Option.getOrUndefined(found[i] ?? Option.none())
    const through = throughs[i]
    if (through === undefined) {
      yield* shortened(store.engine, { stream, first: from })
      return undefined
    }
    const furthest = {
      before: Math.max(end, note?.value.before ?? 0),
      through: Math.max(through, note?.value.through ?? 0)
    }
    ops.push(
      // Whoever writes the note meanwhile has shortened the stream: then what to do is another question.
      notes.ops.put(stream, { ...note?.value, ...furthest }, { expected: note?.revision ?? "absent" }),
      store.log().ops.truncate(stream, end)
    )
  }
  return ops
})
