/** Events that a processor has put aside and may still handle: it has come further, and they aren't done with. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { StoreError } from "./error.ts"
import { Position, Seq } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** Where whoever runs processors keeps what they have put aside. */
export const parkedNamespace = "$parked"

/** Where they keep what a partition has passed while another one has it in hand, though it may be its own. */
export const notedNamespace = "$noted"

// Of what is kept of such an event, what tells which one it is.
const Noted = Schema.Struct({
  processor: Schema.String,
  stream: Schema.String,
  seq: Schema.Natural,
  position: Schema.Natural
})
const Parked = Schema.Struct({ ...Noted.fields, state: Schema.String })

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
export const awaitedByStream = (store: StoreShape): Effect.Effect<AwaitedIn, StoreError> => {
  const noted = Stream.runCollect(store.system(notedNamespace, Noted).scan())
  const parked = Stream.runCollect(store.system(parkedNamespace, Parked).scan())
  // What was noted may be parked instead from one commit on, never the other way round.
  return Effect.map(Effect.zip(noted, parked), ([notes, entries]) => {
    const byStream = new Map<string, Array<Awaited>>()
    const all = [...entries, ...notes].map(({ value }) => value)
    // It's decided that they are never handled, whoever has noted them.
    const dropped = new Set(entries.flatMap(({ value }) => value.state === "dropped" ? [nameOf(value)] : []))
    for (const each of all) {
      if (dropped.has(nameOf(each))) continue
      const { position, processor, seq, stream } = each
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
}

const nameOf = ({ position, processor }: typeof Noted.Type): string => `${processor}/${position}`

/** Why a stream isn't shortened: this processor has put the event at this position aside, and may still handle it. */
export interface ParkedBound {
  readonly _tag: "Parked"
  readonly processor: string
  readonly position: Position
}

/** The bound that such an event is. */
export const parkedBound = ({ position, processor }: Awaited): ParkedBound => ({ _tag: "Parked", processor, position })
