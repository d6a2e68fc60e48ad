/** Versions of a read model from the side of whoever keeps one: going live, and dropping what was live before. */
import { type Checkpoint, type Entry, Invalid, type StoreError, type StoreShape } from "@persist/core"
import { checkpointOf, checkpointOp, checkpoints } from "@persist/core/checkpoint"
import { type Live, liveVersions } from "@persist/core/live"
import { firstOfAll } from "@persist/core/log-pages"
import { quoted } from "@persist/core/path"
import { versionOf, versionsPrefix } from "@persist/core/read-model"
import { origin } from "@persist/core/sequence"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { parked, parkedKey } from "./names.ts"
import { listParked } from "./operate.ts"

/** A version of a read model, by its name and number. */
export interface OwnVersion {
  readonly name: string
  readonly version: number
}

/** Where the states of a version are, and its name among the processors. */
export const namespaceOf = ({ name, version }: OwnVersion): string => `${name}@${version}`

/** The registered versions of a read model with how far they have come, the oldest first. Fails as every read. */
export const versionsOf = (
  store: StoreShape,
  name: string
): Effect.Effect<ReadonlyArray<{ readonly version: number; readonly checkpoint: Checkpoint }>, StoreError> =>
  Effect.map(
    Stream.runCollect(checkpoints(store).scan({ prefix: versionsPrefix(name) })),
    (entries) =>
      entries.flatMap((entry) => {
        const own = versionOf(entry.key)
        // Another model's name may begin with this one's and an @.
        return own?.name === name ? [{ version: own.version, checkpoint: checkpointOf(entry) }] : []
      }).sort((a, b) => a.version - b.version)
  )

/**
 * Finds out which version of a read model is live, once one of them is registered: where nothing says so yet, the
 * oldest that is registered is, and stays it until another has come as far. Fails as every read and commit.
 */
export const establish = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string
): Effect.fn.Return<Entry<Live> | undefined, StoreError> {
  while (true) {
    const found = yield* liveVersions(store).entry(name)
    if (Option.isSome(found)) return found.value
    const [oldest] = yield* versionsOf(store, name)
    if (oldest === undefined) return undefined
    const since = yield* Clock.currentTimeMillis
    yield* liveVersions(store).put(name, { version: oldest.version, since, pinned: false }, { expected: "absent" })
  }
})

/**
 * Prepares a version that is built beside the live one: what was dropped for that one stays dropped for it. To be done
 * before it has handled anything. Fails as every read and commit.
 */
export const inherit = Effect.fnUntraced(function*(
  store: StoreShape,
  own: OwnVersion,
  checkpoint: Checkpoint
): Effect.fn.Return<void, StoreError> {
  const current = yield* establish(store, own.name)
  if (current === undefined || current.value.version === own.version || checkpoint.position !== origin) return
  const former = namespaceOf({ name: own.name, version: current.value.version })
  const dropped = (yield* Stream.runCollect(parked(store).scan({ prefix: `${former}/` })))
    .filter(({ value: { processor, state } }) => processor === former && state === "dropped")
  const processor = namespaceOf(own)
  yield* Effect.forEach(
    dropped,
    ({ value }) =>
      parked(store).put(
        parkedKey(processor, value.position),
        { ...value, processor, reader: checkpoint.name },
        { expected: "absent" }
      ),
    { discard: true }
  )
})

/** Whether one reader is done with everything that it wants of what another is done with. */
const isAsFar = ({ engine }: StoreShape, own: Checkpoint, other: Checkpoint): Effect.Effect<boolean, StoreError> => {
  const { position: after, prefix, types } = own
  return after >= other.position
    ? Effect.succeed(true)
    : Effect.map(firstOfAll(engine, { after, to: other.position, prefix, types }), (next) => next === undefined)
}

/**
 * How many events wait parked for a version that another one has. What that one misses too, parked or dropped, holds
 * nobody back. Fails as every read.
 */
export const missedBy = Effect.fnUntraced(function*(
  store: StoreShape,
  own: OwnVersion,
  other: OwnVersion
): Effect.fn.Return<number, StoreError> {
  const aside = (version: OwnVersion) => Stream.runCollect(listParked(store, namespaceOf(version)))
  const others = new Set((yield* aside(other)).map(({ position }) => position))
  return (yield* aside(own)).filter(({ position, state }) => state !== "dropped" && !others.has(position)).length
})

/** How a version came to be live, or why it did not. */
export type Switched = "live" | "behind" | "misses events" | "overtaken"

/**
 * Makes a version live in one commit, if it has come as far as the live one, which stands still in that commit, and
 * misses nothing that this one has: `behind` and `misses events` say that it has not, `overtaken` that something moved
 * meanwhile. Fails with `Invalid` where it isn't registered, and as every read and commit.
 */
export const switchTo = Effect.fnUntraced(function*(
  store: StoreShape,
  own: OwnVersion,
  { anyway = false, pinned = false }: { readonly anyway?: boolean; readonly pinned?: boolean } = {}
): Effect.fn.Return<Switched, StoreError> {
  const current = yield* establish(store, own.name)
  const versions = yield* versionsOf(store, own.name)
  const mine = versions.find(({ version }) => version === own.version)?.checkpoint
  if (current === undefined || mine === undefined) return yield* Effect.fail(unknownVersion(own))
  const former = { name: own.name, version: current.value.version }
  const theirs = versions.find(({ version }) => version === former.version)?.checkpoint
  const isOther = former.version !== own.version
  if (!anyway && isOther && theirs !== undefined && !(yield* isAsFar(store, mine, theirs))) return "behind"
  if (!anyway && isOther && (yield* missedBy(store, own, former)) > 0) return "misses events"
  const since = isOther ? yield* Clock.currentTimeMillis : current.value.since
  const done = yield* store.commit([
    liveVersions(store).ops.put(own.name, { version: own.version, since, pinned }, { expected: current.revision }),
    checkpoints(store).ops.check(mine.name, mine.revision),
    ...isOther && theirs !== undefined ? [checkpoints(store).ops.check(theirs.name, theirs.revision)] : []
  ])
  return done._tag === "Conflict" ? "overtaken" : "live"
})

/** The refusal of a version that was never begun. */
export const unknownVersion = (own: OwnVersion): Invalid =>
  new Invalid({
    field: "version",
    reason: `${quoted(namespaceOf(own))} isn't known here`,
    remedy: "run it first: it's built beside the live one"
  })

/** After how many tries that were overtaken the live version is held still. */
export const patientTries = 3

/**
 * Holds the live version still for a moment: under load whoever keeps it moves on between every look and commit.
 * Writing its checkpoint again ends its run, and until it has begun the next one another version can come as far.
 * Fails as every read and commit.
 */
export const holdStill = Effect.fnUntraced(
  function*(store: StoreShape, name: string): Effect.fn.Return<void, StoreError> {
    const current = yield* establish(store, name)
    while (true) {
      const versions = yield* versionsOf(store, name)
      const theirs = versions.find(({ version }) => version === current?.value.version)?.checkpoint
      if (theirs === undefined) return
      const held = yield* store.commit([checkpointOp(store, theirs, theirs.position)])
      if (held._tag === "Committed") return
    }
  }
)

/** How a version is switched to by hand. */
export interface SwitchOptions {
  /** Even where it is behind the live one, or misses events that this one has: readers go back. */
  readonly anyway?: boolean | undefined
}

/**
 * Makes a version of a read model live, in one commit: one that was built and waits to go live by hand, or one from
 * before, to which readers go back. Beside a newer version it is pinned: none takes over by itself until one is
 * switched to by hand. Fails with `Invalid` where no such version was begun, and where it is behind the live one or
 * misses events that this one has, unless that is said to be right; and as every read and commit.
 */
export const switchLive = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string,
  version: number,
  { anyway = false }: SwitchOptions = {}
): Effect.fn.Return<void, StoreError> {
  const own = { name, version }
  for (let tries = 1;; tries++) {
    const newest = (yield* versionsOf(store, name)).at(-1)?.version ?? version
    const switched = yield* switchTo(store, own, { anyway, pinned: newest > version })
    if (switched === "live") return
    if (switched !== "overtaken") return yield* Effect.fail(notReady(own, switched))
    if (tries % patientTries === 0) yield* holdStill(store, name)
  }
})

const notReady = (own: OwnVersion, switched: "behind" | "misses events"): Invalid =>
  new Invalid({
    field: "version",
    reason: `${quoted(namespaceOf(own))} ${
      switched === "behind"
        ? "has not come as far as the live version"
        : "has parked events that are not parked for the live version"
    }`,
    remedy: "run it until that is so, or switch anyway: readers go back"
  })
