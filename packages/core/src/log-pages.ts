/** Pages of events as a backend gives them, let through in their order only: what it keeps in writing, read back. */
import * as Effect from "effect/Effect"
import type { AllRange, Page, StoredEvent, StreamRange } from "./backend.ts"
import type { Engine, ReadOptions } from "./engine.ts"
import { Corrupt, type StoreError } from "./error.ts"
import { quoted } from "./path.ts"

/** An event's place in its stream and among all. */
export type Place = Pick<StoredEvent, "seq" | "position">

/**
 * Reads a page of a stream. `Corrupt` where it has a hole, where its seqs or positions go the wrong way, from the event
 * `before` on where there is one, and where it holds what wasn't asked for. That it begins above `before` by more than
 * one may be a truncation's doing, and is the caller's to judge.
 */
export const streamPage = (
  engine: Engine,
  options: ReadOptions | undefined,
  range: StreamRange,
  before?: Place
): Effect.Effect<ReadonlyArray<StoredEvent>, StoreError> =>
  Effect.flatMap(engine.reading(options, engine.backend.readStream(range)), (events) => {
    const fault = streamFault(events, range, before)
    return fault === undefined ? Effect.succeed(events) : Effect.fail(fault)
  })

/**
 * Reads a page of all streams. `Corrupt` where its positions go the wrong way or it holds what wasn't asked for, and
 * where it says to have looked less far than it did, since whoever goes on from there would meet events twice.
 */
export const allPage = (
  engine: Engine,
  options: ReadOptions | undefined,
  range: AllRange
): Effect.Effect<Page<StoredEvent>, StoreError> =>
  Effect.flatMap(engine.reading(options, engine.backend.readAll(range)), (page) => {
    const fault = allFault(page, range)
    return fault === undefined ? Effect.succeed(page) : Effect.fail(fault)
  })

/** The first event of a range of all streams, however far each page looks; `undefined` for none. */
export const firstOfAll = Effect.fnUntraced(function*(
  engine: Engine,
  { after, ...range }: Pick<AllRange, "after" | "to" | "prefix" | "types">
): Effect.fn.Return<StoredEvent | undefined, StoreError> {
  let from = after
  while (true) {
    const { items: [first], through } = yield* allPage(engine, undefined, {
      ...range,
      after: from,
      limit: 1,
      reverse: false
    })
    if (first !== undefined || through <= from || through >= range.to) return first
    from = through
  }
})

/** The refusal of an event that doesn't come next after another. */
export const gapFault = (event: StoredEvent, before: Place): Corrupt => corrupt(event, `it follows seq ${before.seq}`)

const streamFault = (
  events: ReadonlyArray<StoredEvent>,
  { from, reverse, to }: StreamRange,
  before: Place | undefined
): Corrupt | undefined => {
  const step = reverse ? -1 : 1
  let last = before
  for (const event of events) {
    const { position, seq } = event
    if (seq < from || seq > to) return corrupt(event, `seqs ${from} to ${to} were asked for`)
    if (last !== undefined) {
      const next = last === before ? (seq - last.seq) * step > 0 : seq === last.seq + step
      if (!next) return gapFault(event, last)
      if ((position - last.position) * step <= 0) return corrupt(event, `position ${position} follows ${last.position}`)
    }
    last = event
  }
  return undefined
}

const allFault = ({ items, through }: Page<StoredEvent>, { after, reverse, to }: AllRange): Corrupt | undefined => {
  let last = reverse ? Infinity : -Infinity
  for (const event of items) {
    const { position } = event
    if (position <= after || position > to) {
      return corrupt(event, `position ${position} is not between ${after} and ${to}, which were asked for`)
    }
    if (reverse ? position >= last : position <= last) return corrupt(event, `position ${position} follows ${last}`)
    last = position
  }
  const [end] = reverse ? [] : items.slice(-1)
  return end === undefined || through >= end.position
    ? undefined
    : corrupt(end, `the page that holds position ${end.position} says to have looked to ${through} only`)
}

const corrupt = ({ seq, stream }: StoredEvent, reason: string): Corrupt =>
  new Corrupt({
    where: `stream ${quoted(stream)}, seq ${seq}`,
    reason,
    remedy: "run verify on the store, and restore what is missing from a backup"
  })
