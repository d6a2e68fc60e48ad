/** How far a reader has come, kept in the store it reads: bound to that store's history, never going back by itself. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { About } from "./backend.ts"
import { type Codec, schemaCodec } from "./codec.ts"
import type { Op } from "./draft.ts"
import { Corrupt, Invalid, type StoreError } from "./error.ts"
import type { Entry, Kv } from "./kv.ts"
import { quoted } from "./path.ts"
import type { IndexForm } from "./read-index.ts"
import { Position, type PositionInput } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** Which events a reader wants: of streams whose name starts with `prefix`, of these `types` (`undefined`: all). */
export interface ReaderFilter {
  readonly prefix: string
  readonly types: ReadonlyArray<string> | undefined
}

/** What a reader is registered with. */
export interface Registration extends ReaderFilter {
  /** The indexes that a read model keeps beside its states, `undefined` where it has none. */
  readonly indexes?: ReadonlyArray<IndexForm> | undefined
}

/** How far a reader has come: it is done with everything it wants at or below `position`. */
export interface Checkpoint extends Registration {
  /** The reader's name, which is the checkpoint's key. */
  readonly name: string
  readonly position: Position
  /** The history the position belongs to. */
  readonly incarnation: string
  /** When it was saved, in milliseconds since 1970. */
  readonly updatedAt: number
  /** What the next save expects: whoever saves first fences all others who hold the same revision. */
  readonly revision: Position
}

/** Somebody else moved this reader's checkpoint meanwhile: stop, they go on from there. The save did nothing. */
export interface Fenced {
  readonly _tag: "Fenced"
  /** The reader's name. */
  readonly name: string
  /** How far this one had saved. */
  readonly position: Position
}

/** Where checkpoints are kept: by reader's name. */
export const checkpointNamespace = "$checkpoint"

/** A checkpoint as it is stored; its time and revision are those of the entry. */
export interface StoredCheckpoint {
  readonly position: number
  readonly incarnation: string
  readonly prefix: string
  readonly types?: ReadonlyArray<string>
  readonly indexes?: ReadonlyArray<IndexForm>
}

const Stored = Schema.Struct({
  position: Schema.Natural,
  incarnation: Schema.String,
  prefix: Schema.String,
  types: Schema.optionalKey(Schema.Array(Schema.String)),
  indexes: Schema.optionalKey(Schema.Array(
    Schema.Struct({ name: Schema.String, on: Schema.Array(Schema.String), unique: Schema.Boolean })
  ))
})

/** How a checkpoint is stored. */
export const checkpointCodec: Codec<StoredCheckpoint> = schemaCodec(Stored)

/** The checkpoints of a store. */
export const checkpoints = (store: StoreShape): Kv<StoredCheckpoint> => store.system(checkpointNamespace, Stored)

/** A checkpoint of this store's present history, ready to be put. */
export const storedCheckpoint = (
  { incarnation }: About,
  position: PositionInput,
  { indexes, prefix, types }: Registration
): StoredCheckpoint => ({
  position,
  incarnation,
  prefix,
  ...(types === undefined ? {} : { types }),
  ...(indexes === undefined || indexes.length === 0 ? {} : { indexes })
})

/** The checkpoint that an entry holds, unjudged: its position may belong to another history. */
export const checkpointOf = ({ at, key, revision, value }: Entry<StoredCheckpoint>): Checkpoint => ({
  name: key,
  position: Position(value.position),
  incarnation: value.incarnation,
  prefix: value.prefix,
  types: value.types,
  ...(value.indexes === undefined ? {} : { indexes: value.indexes }),
  updatedAt: at,
  revision
})

/** Whether two readers want the same events. */
export const sameFilter = (a: ReaderFilter, b: ReaderFilter): boolean =>
  a.prefix === b.prefix && sameTypes(a.types, b.types)

const sameTypes = (a: ReadonlyArray<string> | undefined, b: ReadonlyArray<string> | undefined): boolean =>
  a === undefined || b === undefined
    ? a === b
    : JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted())

/** What a `Corrupt` calls a reader's checkpoint that means nothing in its store. */
export const checkpointPlace = (reader: string): string => `checkpoint of reader ${quoted(reader)}`

/** Why a checkpoint means nothing in this store, whose head was read after it: another history, or beyond its end. */
export const staleCheckpoint = (
  { incarnation }: About,
  head: Position,
  checkpoint: Checkpoint
): Corrupt | undefined => {
  const where = checkpointPlace(checkpoint.name)
  const remedy = "go on from it by persist projections adopt, where it was restored together with the log; otherwise " +
    "reset the reader (rebuild, where it is a read model), so that it reads again from a position you choose"
  if (checkpoint.incarnation !== incarnation) {
    return new Corrupt({
      where,
      reason: `it belongs to another history of the store (${checkpoint.incarnation}, this is ${incarnation})`,
      remedy
    })
  }
  if (checkpoint.position <= head) return undefined
  return new Corrupt({ where, reason: `position ${checkpoint.position} is beyond the store's head, ${head}`, remedy })
}

/**
 * Reads a reader's checkpoint; none where there is no such reader. `Corrupt` where it belongs to another history of
 * the store or lies beyond its head, as after a restore: its remedy says what mends it. Otherwise as every kv read.
 */
export const readCheckpoint = (
  store: StoreShape,
  name: string
): Effect.Effect<Option.Option<Checkpoint>, StoreError> =>
  Effect.flatMap(checkpoints(store).entry(name), (entry) => {
    if (Option.isNone(entry)) return Effect.succeedNone
    const checkpoint = checkpointOf(entry.value)
    return Effect.flatMap(store.head, (head) => {
      const fault = staleCheckpoint(store.about, head, checkpoint)
      return fault === undefined ? Effect.succeedSome(checkpoint) : Effect.fail(fault)
    })
  })

/**
 * Moves a checkpoint as part of a commit, so that it and what was made of the events happen together: the commit is a
 * `Conflict` where somebody else moved it since. Fails the commit with `Invalid` where `position` is below the
 * checkpoint's own: only a reset goes back.
 */
export const checkpointOp = (store: StoreShape, checkpoint: Checkpoint, position: PositionInput): Op =>
  moveOp(store.about, checkpoints(store), checkpoint, position)

/** The same over checkpoints already at hand. */
export const moveOp = (
  about: About,
  kv: Kv<StoredCheckpoint>,
  checkpoint: Checkpoint,
  position: PositionInput
): Op => {
  const { name, revision } = checkpoint
  if (position < checkpoint.position) {
    const fault = new Invalid({
      field: "position",
      reason: `${position} is below ${checkpoint.position}, to which the checkpoint of ${quoted(name)} has come`,
      remedy: "reset the reader where it must read again"
    })
    return { "~persist/Op": () => fault }
  }
  return kv.ops.put(name, storedCheckpoint(about, position, checkpoint), { expected: revision })
}

/**
 * Saves how far a reader has come, by compare-and-set; `Fenced` where somebody else moved the checkpoint since.
 * `Invalid` where `position` is below the checkpoint's own; otherwise as every commit.
 */
export const moveCheckpoint = (
  store: StoreShape,
  checkpoint: Checkpoint,
  position: PositionInput
): Effect.Effect<Checkpoint | Fenced, StoreError> =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (at) =>
      Effect.map(store.commit([checkpointOp(store, checkpoint, position)], { at }), (outcome) => {
        if (outcome._tag === "Conflict") return { _tag: "Fenced", name: checkpoint.name, position: checkpoint.position }
        const revision = outcome.revisions[0] ?? outcome.position
        return { ...checkpoint, position: Position(position), updatedAt: at, revision }
      })
  )
