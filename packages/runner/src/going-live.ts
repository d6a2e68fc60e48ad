/** What whoever keeps a version of a read model does beside its events: goes live, and drops what was live before. */
import type { Checkpoint, Entry, StoreError, StoreShape } from "@persist/core"
import type { Live } from "@persist/core/live"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { forget } from "./forget.ts"
import { establish, holdStill, namespaceOf, type OwnVersion, patientTries, switchTo, versionsOf } from "./live.ts"
import { knownProcessors } from "./names.ts"
import type { Alarm, Handled } from "./processor.ts"

/** When a version goes live, and how long those before it stay. */
export interface GoingLive {
  /** Whether it does so by itself as soon as it can. */
  readonly byItself: boolean
  /** Milliseconds for which the versions that were live before stay readable. */
  readonly grace: number
}

// How often a version that isn't live looks whether it can be, and how often one that has nothing to do whether it has.
const eager = 100
const idle = 15_000

// How soon it looks again while what is live stands still: it does so for about half of a runner's interval.
const heldFor = 10

const nothing: Handled = { count: 0, ops: [], failed: undefined }

/** Makes the alarm that brings a version live and drops those before it, for one run of it. */
export const goLive = (store: StoreShape, own: OwnVersion, options: GoingLive): Alarm<never> => {
  let at = 0
  let overtaken = 0

  const tryIt = Effect.gen(function*() {
    const switched = yield* switchTo(store, own)
    if (switched !== "overtaken") return switched === "live" ? 0 : eager
    if (++overtaken % patientTries !== 0) return eager
    yield* holdStill(store, own.name)
    return heldFor
  })

  const look = Effect.gen(function*() {
    const current = yield* establish(store, own.name)
    if (current === undefined) return idle
    const { value: { pinned, version } } = current
    if (version === own.version) return yield* dropFormer(store, current, options.grace)
    return version < own.version && !pinned && options.byItself ? yield* tryIt : idle
  })

  return {
    next: Effect.sync(() => Option.some(at)),
    fire: Effect.flatMap(look, (wait) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        at = now + wait
        return nothing
      }))
  }
}

// Answers after how many milliseconds to look again.
const dropFormer = Effect.fnUntraced(function*(
  store: StoreShape,
  { key: name, value: { since, version } }: Entry<Live>,
  grace: number
): Effect.fn.Return<number, StoreError> {
  const former = (yield* versionsOf(store, name)).filter((each) => each.version < version)
  const left = since + grace - (yield* Clock.currentTimeMillis)
  if (former.length === 0) return idle
  if (left > 0) return Math.min(left, idle)
  yield* Effect.forEach(
    former,
    (each) => drop(store, namespaceOf({ name, version: each.version }), each.checkpoint, grace),
    { discard: true }
  )
  return Math.min(Math.max(grace, eager), idle)
})

// One that somebody still runs, or that was chosen again meanwhile, is refused and stays. Of one that never had a
// runner nobody says whether it's kept: whoever keeps it moves it on.
const drop = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string,
  { updatedAt }: Checkpoint,
  grace: number
): Effect.fn.Return<void, StoreError> {
  const isYoung = (yield* Clock.currentTimeMillis) - updatedAt < grace
  if (isYoung && !(yield* knownProcessors(store).has(name))) return
  yield* Effect.catchTag(forget(store, name), "Invalid", () => Effect.void)
})
