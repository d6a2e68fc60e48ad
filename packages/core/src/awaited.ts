/** Events that a processor has put aside and may still handle: it has come further, and they aren't done with. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { StoreError } from "./error.ts"
import { Position, Seq } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** Where whoever runs processors keeps what they have put aside. */
export const parkedNamespace = "$parked"

// Of what is kept of such an event, what tells which one it is.
const Parked = Schema.Struct({
  processor: Schema.String,
  stream: Schema.String,
  seq: Schema.Natural,
  position: Schema.Natural,
  state: Schema.String
})

/** An event that a processor has put aside. */
export interface Awaited {
  readonly processor: string
  readonly seq: Seq
  readonly position: Position
}

/** The first event of a stream, from a seq on, that is put aside; `undefined` for none. */
export type AwaitedIn = (stream: string, from: Seq) => Awaited | undefined

/**
 * Reads once what is put aside, to ask of many streams. To be read after the checkpoints: an event that is put aside
 * meanwhile lies beyond them. Fails as every kv read.
 */
export const awaitedByStream = (store: StoreShape): Effect.Effect<AwaitedIn, StoreError> =>
  Effect.map(Stream.runCollect(store.system(parkedNamespace, Parked).scan()), (entries) => {
    const byStream = new Map<string, Array<Awaited>>()
    for (const { value: { position, processor, seq, state, stream } } of entries) {
      // It's decided that it is never handled.
      if (state === "dropped") continue
      const own = byStream.get(stream)
      const awaited = { processor, seq: Seq(seq), position: Position(position) }
      if (own === undefined) byStream.set(stream, [awaited])
      else own.push(awaited)
    }
    return (stream, from) =>
      byStream.get(stream)?.reduce<Awaited | undefined>(
        (first, each) => each.seq < from || (first !== undefined && first.seq <= each.seq) ? first : each,
        undefined
      )
  })

/** Why a stream isn't shortened: this processor has put the event at this position aside, and may still handle it. */
export interface ParkedBound {
  readonly _tag: "Parked"
  readonly processor: string
  readonly position: Position
}

/** The bound that such an event is. */
export const parkedBound = ({ position, processor }: Awaited): ParkedBound => ({ _tag: "Parked", processor, position })
