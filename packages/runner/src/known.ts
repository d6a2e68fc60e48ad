/** The processors that a store knows: whoever was ever run, so that what nobody runs any more is missed. */
import { type Entry, Invalid, type Op, type StoreError, type StoreShape } from "@persist/core"
import { checkpoints } from "@persist/core/checkpoint"
import { liveVersions } from "@persist/core/live"
import { modelNamespaces } from "@persist/core/model-namespaces"
import { quoted } from "@persist/core/path"
import { modelOf, versionOf } from "@persist/core/read-model"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { versionsOf } from "./live.ts"
import {
  controls,
  instancesOf,
  knownProcessors,
  leases,
  parked,
  parkedKey,
  type RunnerRecord,
  runners
} from "./names.ts"
import { listParked } from "./operate.ts"
import type { Processor } from "./processor.ts"
import { timers, timersOf } from "./timers.ts"

/** The processor of a partition's reader: a read model is known by its namespace. */
export const ownerOf = (reader: string): string => modelOf(reader) ?? /^(.*)#\d+$/s.exec(reader)?.[1] ?? reader

/**
 * Notes that processors are run, by a runner that has shown itself. Fails with `Invalid` where one has another number
 * of partitions in this store: a key's partition follows from it, so some events would be handled again and some
 * never; and as every read and commit.
 */
export const enlist = (
  store: StoreShape,
  processors: Iterable<Pick<Processor, "name" | "partitions" | "kind" | "guarantee">>
): Effect.Effect<void, StoreError> =>
  Effect.forEach(
    processors,
    Effect.fnUntraced(function*({ guarantee, kind, name, partitions }): Effect.fn.Return<void, StoreError> {
      const known = yield* knownProcessors(store).entry(name)
      if (Option.isSome(known) && known.value.value.partitions !== partitions) {
        return yield* Effect.fail(otherPartitions(name, known.value.value.partitions, partitions))
      }
      // Written even where it says so already: whoever is about to forget it finds that somebody runs it.
      const expected = Option.match(known, { onNone: () => "absent" as const, onSome: ({ revision }) => revision })
      const noted = yield* knownProcessors(store).put(name, { partitions, kind, guarantee }, { expected })
      if (noted._tag === "Conflict") yield* enlist(store, [{ name, partitions, kind, guarantee }])
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
 * Forgets a processor that is no longer run: its checkpoints, leases and parked events are gone, the states of a read
 * model's version, and a workflow's instances and timers; compaction no longer waits for it, and nobody misses it.
 * Under this name another one begins anew. A runner that has it and seems dead is watched for as long as others are
 * patient with it. Fails with `Invalid` where nobody knows it, where a runner that has it is alive, and for the live
 * version of a read model beside another; and as every read and commit.
 */
export const forget = Effect.fnUntraced(function*(store: StoreShape, name: string): Effect.fn.Return<void, StoreError> {
  const known = yield* knownProcessors(store).entry(name)
  if (Option.isNone(known)) return yield* Effect.fail(cannotForget(name, "isn't known here", "list what is"))
  const records = yield* Stream.runCollect(runners(store).scan())
  const running = records.filter(({ value }) => value.processors.includes(name))
  for (const each of running) {
    if (!(yield* isSilent(store, each))) {
      const remedy = `end it first; if it was killed, try again once it was silent for ${each.value.patience} ms`
      return yield* Effect.fail(cannotForget(name, `is run by ${each.value.label}`, remedy))
    }
  }
  const readers = (yield* Stream.runCollect(checkpoints(store).scan())).filter(({ key }) => ownerOf(key) === name)
  const states = yield* Effect.forEach(readers, ({ key }) => statesOps(store, key))
  const aside = yield* Stream.runCollect(listParked(store, name))
  const instances = store.system(instancesOf(name), Schema.Unknown)
  const set = yield* Effect.forEach(
    readers,
    ({ key }) => Stream.runCollect(timers(store).scan({ prefix: timersOf(key) }))
  )
  const forgotten = yield* store.commit([
    ...running.map(({ key, revision }) => runners(store).ops.check(key, revision)),
    knownProcessors(store).ops.delete(name, { expected: known.value.revision }),
    controls(store).ops.delete(name),
    ...readers.flatMap(({ key }) => [checkpoints(store).ops.delete(key), leases(store).ops.delete(key)]),
    ...states.flat(),
    ...aside.map(({ position }) => parked(store).ops.delete(parkedKey(name, position))),
    ...(yield* instances.count()) === 0 ? [] : [instances.ops.clear()],
    ...set.flat().map(({ key }) => timers(store).ops.delete(key))
  ])
  // Somebody else did the same.
  if (forgotten._tag === "Conflict") return yield* forget(store, name)
})

// Whether a runner doesn't show itself for as long as others are patient with it: by the clocks of its machine and this
// one it hasn't, and watched from now on it doesn't either.
const isSilent = Effect.fnUntraced(function*(
  store: StoreShape,
  { at, key, revision, value: { patience } }: Entry<RunnerRecord>
): Effect.fn.Return<boolean, StoreError> {
  if ((yield* Clock.currentTimeMillis) - at < patience) return false
  const there = Effect.map(runners(store).entry(key), Option.filter((entry) => entry.revision === revision))
  const shown = there.pipe(
    Effect.repeat({ while: Option.isSome, schedule: Schedule.spaced(Math.max(1, patience / 20)) }),
    Effect.timeoutOption(patience)
  )
  return Option.isNone(yield* shown)
})

// What drops the states of a read model's version: nothing for any other reader.
const statesOps = Effect.fnUntraced(function*(
  store: StoreShape,
  reader: string
): Effect.fn.Return<ReadonlyArray<Op>, StoreError> {
  const own = versionOf(reader)
  const namespace = modelOf(reader)
  if (own === undefined || namespace === undefined) return []
  const current = yield* liveVersions(store).entry(own.name)
  const isLive = Option.isSome(current) && current.value.value.version === own.version
  if (isLive && (yield* versionsOf(store, own.name)).length > 1) {
    return yield* Effect.fail(cannotForget(namespace, "is live, beside another version", "switch to that one first"))
  }
  const live = liveVersions(store).ops
  return [
    ...isLive ? [live.delete(own.name, { expected: current.value.revision })] : [],
    ...Option.isSome(current) && !isLive ? [live.check(own.name, current.value.revision)] : [],
    ...(yield* modelNamespaces(store, { namespace, reader, readIndexes: [] }))
      .map((each) => store.kv(each).ops.clear())
  ]
})

const cannotForget = (name: string, reason: string, remedy: string): Invalid =>
  new Invalid({ field: "name", reason: `${quoted(name)} ${reason}`, remedy })
