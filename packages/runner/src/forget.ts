/** Forgetting a processor that is no longer run: all that is kept of it goes, in steps where that is much. */
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
import { ownerOf } from "./known.ts"
import { versionsOf } from "./live.ts"
import {
  controls,
  instancesOf,
  knownProcessors,
  lastFailures,
  leases,
  notes,
  parked,
  type RunnerRecord,
  runners
} from "./names.ts"
import { partitionsOf, readerOf } from "./partition.ts"
import { timers, timersOf } from "./timers.ts"

/**
 * Forgets a processor that is no longer run: its checkpoints, leases and parked events are gone, the states of a read
 * model's version, and a workflow's instances and timers; compaction no longer waits for it, and nobody misses it.
 * Under this name another one begins anew. A version of a read model that only `runReadModel` kept is forgotten as
 * well, and whoever keeps it is fenced. What is more than one commit holds goes in several, the checkpoints first;
 * after a crash in between it is known still, and forgetting it again goes on. A runner that has it and seems dead is
 * watched for as long as others are patient with it. Fails with `Invalid` where nobody knows it, where a runner that
 * has it is alive, and for the live version of a read model beside another; and as every read and commit.
 */
export const forget = Effect.fnUntraced(function*(store: StoreShape, name: string): Effect.fn.Return<void, StoreError> {
  const known = yield* knownProcessors(store).entry(name)
  const entries = yield* Stream.runCollect(checkpoints(store).scan())
  const registered = entries.flatMap(({ key }) => ownerOf(key) === name ? [key] : [])
  // A model's own reader says what it is of; the name of any other may be somebody's who needs no runner.
  if (Option.isNone(known) && !registered.some((reader) => versionOf(reader) !== undefined)) {
    return yield* Effect.fail(cannotForget(name, "isn't known here", "list what is"))
  }
  const records = yield* Stream.runCollect(runners(store).scan())
  const running = records.filter(({ value }) => value.processors.includes(name))
  for (const each of running) {
    if (!(yield* isSilent(store, each))) {
      const remedy = `end it first; if it was killed, try again once it was silent for ${each.value.patience} ms`
      return yield* Effect.fail(cannotForget(name, `is run by ${each.value.label}`, remedy))
    }
  }
  // Whoever comes back, or begins to run it, in between finds it as it was or anew, and nothing of theirs is removed.
  const guards = running.map(({ key, revision }) => runners(store).ops.check(key, revision))
  const [expected, last] = Option.match(known, {
    onNone: () => ["absent", knownProcessors(store).ops.check(name, "absent")] as const,
    onSome: ({ revision }) => [revision, knownProcessors(store).ops.delete(name, { expected: revision })] as const
  })
  const partitions = Option.match(known, { onNone: () => 0, onSome: ({ value }) => value.partitions })
  const readers = new Set([...registered, ...partitionsOf(partitions).map((each) => readerOf(name, each))])
  const all = [
    ...yield* registrationsOps(store, name, registered, readers),
    ...yield* asideOps(store, name, readers),
    ...yield* timersOps(store, readers)
  ]
  const most = store.about.limits.commitEvents - 1
  for (let from = 0;; from += most) {
    const isLast = from + most >= all.length
    const done = yield* store.commit([
      ...guards,
      isLast ? last : knownProcessors(store).ops.check(name, expected),
      ...all.slice(from, from + most)
    ])
    // Somebody else did the same, or runs it again.
    if (done._tag === "Conflict") return yield* forget(store, name)
    if (isLast) return
  }
})

// What says that it was ever run and how far it came, first: without it what is left means nothing to anybody.
const registrationsOps = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string,
  registered: ReadonlyArray<string>,
  readers: ReadonlySet<string>
): Effect.fn.Return<ReadonlyArray<Op>, StoreError> {
  const states = yield* Effect.forEach(registered, (reader) => statesOps(store, reader))
  const held = yield* leases(store).getMany(Array.from(readers))
  const failed = yield* lastFailures(store).getMany(Array.from(readers))
  const instances = store.system(instancesOf(name), Schema.Unknown)
  return [
    ...registered.map((reader) => checkpoints(store).ops.delete(reader)),
    ...states.flat(),
    ...(yield* instances.count({ limit: 1 })) === 0 ? [] : [instances.ops.clear()],
    ...failed.flatMap((entry) => Option.isSome(entry) ? [lastFailures(store).ops.delete(entry.value.key)] : []),
    ...held.flatMap((entry) => Option.isSome(entry) ? [leases(store).ops.delete(entry.value.key)] : []),
    ...(yield* controls(store).has(name)) ? [controls(store).ops.delete(name)] : []
  ]
})

const asideOps = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string,
  readers: ReadonlySet<string>
): Effect.fn.Return<ReadonlyArray<Op>, StoreError> {
  const entries = yield* Stream.runCollect(parked(store).scan({ prefix: `${name}/` }))
  const noted = yield* Effect.forEach(
    readers,
    (reader) => Stream.runCollect(notes(store).scan({ prefix: `${reader}/` }))
  )
  return [
    // Another one's name may begin with this one's and a slash.
    ...entries.flatMap(({ key, value }) => value.processor === name ? [parked(store).ops.delete(key)] : []),
    ...noted.flat().flatMap(({ key, value }) => value.processor === name ? [notes(store).ops.delete(key)] : [])
  ]
})

const timersOps = (store: StoreShape, readers: ReadonlySet<string>): Effect.Effect<ReadonlyArray<Op>, StoreError> =>
  Effect.map(
    Effect.forEach(readers, (reader) => Stream.runCollect(timers(store).scan({ prefix: timersOf(reader) }))),
    (set) => set.flat().map(({ key }) => timers(store).ops.delete(key))
  )

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
