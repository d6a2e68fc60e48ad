/** Finding places in a stream by what its events say: positions rise with seqs, times may not. */
import * as Effect from "effect/Effect"
import type { Engine } from "./engine.ts"
import type { StoreError } from "./error.ts"
import { streamPage } from "./log-pages.ts"
import { pageSize } from "./pages.ts"
import { type Position, Seq } from "./sequence.ts"

/** The position of a stream's event; `undefined` where it is gone, or not there yet. */
export const positionAt = (
  engine: Engine,
  stream: string,
  seq: number
): Effect.Effect<Position | undefined, StoreError> =>
  Effect.map(
    engine.reading(
      undefined,
      engine.backend.readStream({ stream, from: Seq(seq), to: Seq(seq), limit: 1, reverse: false })
    ),
    ([event]) => event?.position
  )

/** Seqs `from` to below `end`, all of which are in the stream. */
export interface Stretch {
  readonly stream: string
  readonly from: Seq
  readonly end: Seq
}

/** The first seq of a stretch above a position, its end where there is none; `undefined` where an event is gone. */
export const seqAfter = Effect.fnUntraced(function*(
  engine: Engine,
  { end, from, stream }: Stretch,
  position: Position
): Effect.fn.Return<Seq | undefined, StoreError> {
  let low: number = from
  let high: number = end
  // Whoever follows has mostly read all of it, so the last one is asked first.
  let middle = high - 1
  while (low < high) {
    const at = yield* positionAt(engine, stream, middle)
    if (at === undefined) return undefined
    if (at <= position) low = middle + 1
    else high = middle
    middle = Math.floor((low + high) / 2)
  }
  return Seq(low)
})

/** The first seq of a stretch whose event isn't older than a time, its end where all are: clocks may have gone back. */
export const seqSince = Effect.fnUntraced(function*(
  engine: Engine,
  { end, from, stream }: Stretch,
  time: number
): Effect.fn.Return<Seq, StoreError> {
  let next: number = from
  // Mostly the first is young enough.
  let limit = 1
  while (next < end) {
    const range = { stream, from: Seq(next), to: Seq(end - 1), limit, reverse: false }
    const events = yield* streamPage(engine, undefined, range)
    const young = events.find(({ at }) => at >= time)
    if (young !== undefined) return young.seq
    const last = events.at(-1)
    if (last === undefined) return end
    next = last.seq + 1
    limit = pageSize
  }
  return end
})
