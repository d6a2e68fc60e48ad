/** The processors that a store knows: whoever was ever run, so that what nobody runs any more is missed. */
import { Invalid, listReaders, type StoreError, type StoreShape } from "@persist/core"
import { checkpoints } from "@persist/core/checkpoint"
import { quoted } from "@persist/core/path"
import { modelOf } from "@persist/core/read-model"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { controls, knownProcessors, leases, parked, parkedKey, runners } from "./names.ts"
import { listParked } from "./operate.ts"
import type { Processor } from "./processor.ts"

/** The processor of a partition's reader: a read model is known by its namespace. */
export const ownerOf = (reader: string): string => modelOf(reader) ?? /^(.*)#\d+$/s.exec(reader)?.[1] ?? reader

/**
 * Notes that processors are run, by a runner that has shown itself. Fails with `Invalid` where one has another number
 * of partitions in this store: a key's partition follows from it, so some events would be handled again and some
 * never; and as every read and commit.
 */
export const enlist = (
  store: StoreShape,
  processors: Iterable<Pick<Processor, "name" | "partitions">>
): Effect.Effect<void, StoreError> =>
  Effect.forEach(
    processors,
    Effect.fnUntraced(function*({ name, partitions }): Effect.fn.Return<void, StoreError> {
      const known = yield* knownProcessors(store).entry(name)
      if (Option.isSome(known) && known.value.value.partitions !== partitions) {
        return yield* Effect.fail(otherPartitions(name, known.value.value.partitions, partitions))
      }
      // Written even where it says so already: whoever is about to forget it finds that somebody runs it.
      const expected = Option.match(known, { onNone: () => "absent" as const, onSome: ({ revision }) => revision })
      const noted = yield* knownProcessors(store).put(name, { partitions }, { expected })
      if (noted._tag === "Conflict") yield* enlist(store, [{ name, partitions }])
    }),
    { discard: true }
  )

const otherPartitions = (name: string, known: number, asked: number): Invalid =>
  new Invalid({
    field: "partitions",
    reason: `${quoted(name)} has ${known} in this store, and ${asked} are asked for`,
    remedy: "keep their number or choose another name; to begin again from its start, forget it first"
  })

/**
 * Forgets a processor that is no longer run: its checkpoints, leases and parked events are gone, compaction no longer
 * waits for it, and nobody misses it. Under this name another one begins anew. Fails with `Invalid` where nobody knows
 * it, for a read model, whose states would stay, and where a runner that has it is alive; and as every commit.
 */
export const forget = Effect.fnUntraced(function*(store: StoreShape, name: string): Effect.fn.Return<void, StoreError> {
  const known = yield* knownProcessors(store).entry(name)
  if (Option.isNone(known)) return yield* Effect.fail(cannotForget(name, "isn't known here", "list what is"))
  const records = yield* Stream.runCollect(runners(store).scan())
  const running = records.find(({ value }) => value.processors.includes(name))
  if (running !== undefined) {
    const remedy = "end it first, or wait until the others have seen that it's dead"
    return yield* Effect.fail(cannotForget(name, `is run by ${running.value.label}`, remedy))
  }
  const readers = (yield* listReaders(store)).filter((reader) => ownerOf(reader.name) === name)
  if (readers.some((reader) => modelOf(reader.name) !== undefined)) {
    return yield* Effect.fail(cannotForget(name, "is a read model, with states of its own", "leave it"))
  }
  const aside = yield* Stream.runCollect(listParked(store, name))
  const forgotten = yield* store.commit([
    knownProcessors(store).ops.delete(name, { expected: known.value.revision }),
    controls(store).ops.delete(name),
    ...readers.flatMap((reader) => [checkpoints(store).ops.delete(reader.name), leases(store).ops.delete(reader.name)]),
    ...aside.map(({ position }) => parked(store).ops.delete(parkedKey(name, position)))
  ])
  // Somebody else did the same.
  if (forgotten._tag === "Conflict") return yield* forget(store, name)
})

const cannotForget = (name: string, reason: string, remedy: string): Invalid =>
  new Invalid({ field: "name", reason: `${quoted(name)} ${reason}`, remedy })
