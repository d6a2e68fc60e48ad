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
  type ReaderFilter,
  sameFilter,
  staleCheckpoint,
  type StoredCheckpoint,
  storedCheckpoint
} from "./checkpoint.ts"
import { Invalid, type StoreError } from "./error.ts"
import * as Fault from "./fault.ts"
import type { Entry } from "./kv.ts"
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
   * How many positions it is behind the head, of which any number may be none of its events; `undefined` where its
   * position means nothing here (another history, or beyond the head): it needs a reset.
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
  filter: ReaderFilter
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

/** Lists the registered readers by name, and how far each is behind. Fails as every kv read. */
export const listReaders = (store: StoreShape): Effect.Effect<ReadonlyArray<Reader>, StoreError> =>
  Effect.map(allReaders(store), ({ entries, head }) =>
    entries.map((entry) => {
      const checkpoint = checkpointOf(entry)
      const stale = staleCheckpoint(store.about, head, checkpoint) !== undefined
      return { ...checkpoint, lag: stale ? undefined : head - checkpoint.position }
    }))

/**
 * The least position among the registered readers whose filter covers a stream; `undefined` where there is none. What
 * is at or below it has been read by all of them. Fails with `Corrupt` where one of them has a checkpoint of another
 * history of the store (reset or remove that reader), and as every kv read.
 */
export const slowestReader = (
  store: StoreShape,
  stream: string
): Effect.Effect<Position | undefined, StoreError> =>
  Effect.flatMap(allReaders(store), ({ entries, head }) => Effect.fromResult(slowest(store, head, entries, stream)))

const slowest = (
  { about }: StoreShape,
  head: Position,
  entries: ReadonlyArray<Entry<StoredCheckpoint>>,
  stream: string
): Result.Result<Position | undefined, StoreError> => {
  let least: Position | undefined
  for (const entry of entries) {
    // Which types a stream will hold is unknown, so a reader of some types covers it as one of all does.
    if (!stream.startsWith(entry.value.prefix)) continue
    const checkpoint = checkpointOf(entry)
    const fault = staleCheckpoint(about, head, checkpoint)
    if (fault !== undefined) return Result.fail(fault)
    if (least === undefined || checkpoint.position < least) least = checkpoint.position
  }
  return Result.succeed(least)
}

interface AllReaders {
  readonly entries: ReadonlyArray<Entry<StoredCheckpoint>>
  /** Read after the checkpoints, so that none of them can rightly lie beyond it. */
  readonly head: Position
}

const allReaders = (store: StoreShape): Effect.Effect<AllReaders, StoreError> =>
  Effect.flatMap(
    Stream.runCollect(checkpoints(store).scan()),
    (entries) => Effect.map(store.head, (head) => ({ entries, head }))
  )
