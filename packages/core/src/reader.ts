/** The registered readers of a store: whoever has a checkpoint, so that compaction leaves what they have not read. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import {
  type Checkpoint,
  checkpointOf,
  checkpoints,
  readCheckpoint,
  type Registration,
  sameFilter,
  staleCheckpoint,
  storedCheckpoint
} from "./checkpoint.ts"
import { type Corrupt, Invalid, type StoreError } from "./error.ts"
import * as Fault from "./fault.ts"
import { firstOfAll } from "./log-pages.ts"
import { isReserved, nameFault, reservedFault } from "./name.ts"
import { quoted } from "./path.ts"
import { registrationOps } from "./registration.ts"
import { origin, Position, type PositionInput } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** Where a reader begins: with everything there is, with what comes after now, or after a position. */
export type StartFrom = "start" | "end" | { readonly position: PositionInput }

/** What a reader wants, and where it begins. */
export interface RegisterOptions {
  /** Where it begins if it isn't registered yet; `"start"` by default. */
  readonly from?: StartFrom | undefined
  /** Only streams whose name starts with it. */
  readonly prefix?: string | undefined
  /** Only events of these types. */
  readonly types?: ReadonlyArray<string> | undefined
}

/** A registered reader. */
export interface Reader extends Checkpoint {
  /**
   * 0 where it has read all of its events, otherwise how many positions it is behind the head, of which any number may
   * be none of its events; `undefined` where its position means nothing here (another history, or beyond the head): it
   * needs a reset. On a store that can't read all streams it's positions always.
   */
  readonly lag: number | undefined
}

/**
 * Registers a reader, or finds it registered: then its position stays, and this filter replaces its own. Fails with
 * `Invalid` for a bad name, filter or position (one beyond the head), `Corrupt` where its checkpoint belongs to another
 * history of the store, and as every commit.
 */
export const registerReader = (
  store: StoreShape,
  name: string,
  options: RegisterOptions = {}
): Effect.Effect<Checkpoint, StoreError> =>
  Effect.suspend(() => {
    const fault = Fault.optionsFault(options, ["from", "prefix", "types"]) ?? readerFault(store, name)
    if (fault !== undefined) return Effect.fail(fault)
    const { from = "start", prefix = "", types } = options
    return enrol(store, name, from, { prefix, types })
  })

/** What's wrong with the name of a reader that isn't the store's own. */
export const readerFault = ({ about }: StoreShape, name: string): Fault.Fault | undefined =>
  nameFault("name", name, about.limits.nameBytes) ?? (isReserved(name) ? reservedFault("name", name) : undefined)

/** Registers a reader under any name, the store's own included; see {@link registerReader}. */
export const enrol = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string,
  from: StartFrom,
  filter: Registration
): Effect.fn.Return<Checkpoint, StoreError> {
  const fault = nameFault("name", name, store.about.limits.nameBytes) ?? Fault.textFault("prefix", filter.prefix) ??
    Fault.typesFault(filter.types)
  if (fault !== undefined) return yield* Effect.fail(fault)
  const kv = checkpoints(store)
  const start = yield* startPosition(store, from)
  // Each turn that fails means that somebody else's succeeded.
  while (true) {
    const found = yield* readCheckpoint(store, name)
    if (Option.isSome(found) && sameFilter(found.value, filter)) return found.value
    const [position, expected] = Option.isSome(found)
      ? [found.value.position, found.value.revision] as const
      : [start, "absent"] as const
    const checkpoint = storedCheckpoint(store.about, position, filter)
    yield* store.commit([kv.ops.put(name, checkpoint, { expected }), ...registrationOps(store)])
  }
})

/** The position a reader begins after; `Invalid` for what is none, or lies beyond the head. */
export const startPosition = (store: StoreShape, from: StartFrom): Effect.Effect<Position, StoreError> =>
  Effect.suspend(() => {
    if (from === "start") return Effect.succeed(origin)
    if (from === "end") return store.head
    if (from === null || typeof from !== "object") {
      return Effect.fail(
        new Invalid({
          field: "from",
          reason: "is no place to begin",
          remedy: `pass "start", "end" or { position }`
        })
      )
    }
    const { position } = from
    const fault = Fault.optionsFault(from, ["position"]) ?? Fault.counterFault("from.position", position)
    if (fault !== undefined) return Effect.fail(fault)
    return Effect.flatMap(store.head, (head) =>
      position <= head
        ? Effect.succeed(Position(position))
        : Effect.fail(
          new Invalid({
            field: "from.position",
            reason: `${position} is beyond the store's head, ${head}`,
            remedy: "pass a position that this store gave; after a restore, begin again from one it has"
          })
        ))
  })

/**
 * Sets a reader's checkpoint to a position (the start by default), back or forth, whatever it was: the remedy after a
 * restore. Whoever is running under this name is fenced. Fails with `Invalid` where there is no such reader, for a
 * position beyond the head, and for a read model, whose state must go with it: rebuild that; and as every commit.
 */
export const resetReader = (
  store: StoreShape,
  name: string,
  from: StartFrom = "start"
): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const fault = nameFault("name", name, store.about.limits.nameBytes) ??
      (isReserved(name) ? modelFault(name) : undefined)
    if (fault !== undefined) return yield* Effect.fail(fault)
    const kv = checkpoints(store)
    const position = yield* startPosition(store, from)
    while (true) {
      const entry = yield* kv.entry(name)
      if (Option.isNone(entry)) return yield* unknownReader(name)
      const { prefix, types } = checkpointOf(entry.value)
      const checkpoint = storedCheckpoint(store.about, position, { prefix, types })
      const reset = yield* store.commit([
        kv.ops.put(name, checkpoint, { expected: entry.value.revision }),
        ...registrationOps(store)
      ])
      if (reset._tag === "Committed") return
    }
  })

const modelFault = (name: string): Invalid =>
  new Invalid({
    field: "name",
    reason: `${quoted(name)} is the reader of a read model, whose keys must be reset with it`,
    remedy: "rebuild the read model"
  })

/** The refusal of a name under which nobody is registered. */
export const unknownReader = (name: string): Invalid =>
  new Invalid({
    field: "name",
    reason: `no reader ${quoted(name)} is registered`,
    remedy: "register it with registerReader, or list the readers to find its name"
  })

/**
 * Forgets a reader: compaction no longer waits for it, and whoever is running under this name is fenced. Removing one
 * that isn't there changes nothing. Fails as every commit.
 */
export const removeReader = (store: StoreShape, name: string): Effect.Effect<void, StoreError> =>
  Effect.asVoid(checkpoints(store).delete(name))

/**
 * Lists the registered readers by name, and how far each is behind: for that it looks for the next event of each, which
 * takes as long as passing what is none of its events. Fails as every kv read, and as reading all streams.
 */
export const listReaders = (store: StoreShape): Effect.Effect<ReadonlyArray<Reader>, StoreError> =>
  Effect.flatMap(knownReaders(store), ({ head, readers }) =>
    Effect.forEach(
      readers,
      ({ checkpoint, stale }) =>
        Effect.map(
          stale === undefined ? lagOf(store, head, checkpoint) : Effect.undefined,
          (lag) => ({ ...checkpoint, lag })
        ),
      { concurrency: 16 }
    ))

const lagOf = (
  { about, engine }: StoreShape,
  head: Position,
  { position: after, prefix, types }: Checkpoint
): Effect.Effect<number, StoreError> => {
  const positions = head - after
  if (positions === 0 || about.lacks.has("readAll")) return Effect.succeed(positions)
  // Saving a checkpoint takes a position itself, so that who has read everything is never quite at the head.
  return Effect.map(
    firstOfAll(engine, { after, to: head, prefix, types }),
    (next) => next === undefined ? 0 : positions
  )
}

/**
 * The least position among the registered readers whose filter covers a stream; `undefined` where there is none. What
 * is at or below it has been read by all of them. Fails with `Corrupt` where one of them has a checkpoint of another
 * history of the store (reset or remove that reader), and as every kv read.
 */
export const slowestReader = (
  store: StoreShape,
  stream: string
): Effect.Effect<Position | undefined, StoreError> =>
  Effect.map(readersOf(store, stream), ([slowest]) => slowest?.position)

/**
 * The checkpoints of the registered readers whose filter covers a stream, but for `except`'s, the slowest first. Fails
 * as {@link slowestReader}.
 */
export const readersOf = (
  store: StoreShape,
  stream: string,
  except?: string
): Effect.Effect<ReadonlyArray<Checkpoint>, StoreError> =>
  Effect.flatMap(readersByStream(store), (readersFor) => Effect.fromResult(readersFor(stream, except)))

/** The readers of a stream but for `except`'s, the slowest first; `Corrupt` where one is of another history. */
export type ReadersFor = (
  stream: string,
  except?: string
) => Result.Result<ReadonlyArray<Checkpoint>, Corrupt>

/** Reads the checkpoints once, to ask of many streams who reads them. Fails as every kv read. */
export const readersByStream = (store: StoreShape): Effect.Effect<ReadersFor, StoreError> =>
  Effect.map(knownReaders(store), ({ readers }) => (stream, except) => {
    // Which types a stream will hold is unknown, so a reader of some types covers it as one of all does.
    const own = readers.filter(({ checkpoint: { name, prefix } }) => name !== except && stream.startsWith(prefix))
    const stale = own.find((reader) => reader.stale !== undefined)?.stale
    return stale === undefined
      ? Result.succeed(own.map(({ checkpoint }) => checkpoint).sort((a, b) => a.position - b.position))
      : Result.fail(stale)
  })

interface KnownReaders {
  readonly readers: ReadonlyArray<{
    readonly checkpoint: Checkpoint
    /** Why its position means nothing here. */
    readonly stale: Corrupt | undefined
  }>
  /** Read after the checkpoints, so that none of them can rightly lie beyond it. */
  readonly head: Position
}

const knownReaders = (store: StoreShape): Effect.Effect<KnownReaders, StoreError> =>
  Effect.flatMap(
    Stream.runCollect(checkpoints(store).scan()),
    (entries) =>
      Effect.map(store.head, (head) => ({
        readers: entries.map((entry) => {
          const checkpoint = checkpointOf(entry)
          return { checkpoint, stale: staleCheckpoint(store.about, head, checkpoint) }
        }),
        head
      }))
  )
