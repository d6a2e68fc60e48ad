/** Looking after processors: how they fare, and what operators say of them. */
import type { PositionInput } from "@persist/core"
import {
  adopt as adoptEffect,
  type Adopted,
  type AdoptOptions,
  compareVersions as compareEffect,
  type Comparison as ComparisonEffect,
  type Difference,
  dropParked as dropEffect,
  forget as forgetEffect,
  type Health,
  health as healthEffect,
  type InspectedEvent,
  inspectParked as inspectEffect,
  listParked as listEffect,
  listStale as listStaleEffect,
  type ParkedEvent,
  pause as pauseEffect,
  type PauseOptions,
  reset as resetEffect,
  type ResetOptions,
  resume as resumeEffect,
  retryParked as retryEffect,
  type Stale,
  switchLive as switchEffect,
  type SwitchOptions,
  watchHealth as watchHealthEffect
} from "@persist/runner"
import * as Effect from "effect/Effect"
import { plain, type Reading, reading } from "./reading.ts"
import { type Abortable, call, callPlain, split } from "./run.ts"
import type { Store } from "./store.ts"

/**
 * Reads the health of all processors that were ever run here and not forgotten since. Who is alive is told by comparing
 * clocks, which must agree to within a runner's patience. Rejects as every read.
 */
export const health = (store: Store, options?: Abortable): Promise<Health> =>
  callPlain(options, () => healthEffect(store.effect))

/**
 * Makes a look at the health of all processors, to be taken again and again: who is alive is told by what it has
 * watched since, and by comparing clocks only before that. Each look rejects as every read.
 */
export const watchHealth = (store: Store): (options?: Abortable) => Promise<Health> => {
  const look = Effect.runSync(watchHealthEffect(store.effect))
  return (options) => callPlain(options, () => look)
}

/** Lists who needs something after a restore, by name, and what. Rejects as every read. */
export const listStale = (store: Store, options?: Abortable): Promise<ReadonlyArray<Stale>> =>
  callPlain(options, () => listStaleEffect(store.effect))

/**
 * Stops a processor everywhere, once each partition has finished and saved what it has in hand, until it is resumed.
 * Whoever runs it notices within a look. Rejects with `Invalid` where nobody knows it, unless `anyway`, and as every
 * commit.
 */
export const pause = (store: Store, processor: string, options?: PauseOptions & Abortable): Promise<void> =>
  call(options, (own) => pauseEffect(store.effect, processor, own))

/**
 * Lets a paused processor go on, and partitions that stopped at a failure try again. Rejects with `Invalid` where
 * nobody knows it, and as every commit.
 */
export const resume = (store: Store, processor: string, options?: Abortable): Promise<void> =>
  callPlain(options, () => resumeEffect(store.effect, processor))

/** The events that were put aside, of one processor or of all, by processor and position. */
export const listParked = (store: Store, processor?: string, options?: Abortable): Reading<ParkedEvent> =>
  reading(options, plain(listEffect(store.effect, processor)))

/** Reads a parked event with its attempts. Rejects with `Invalid` where none is parked there, and as every read. */
export const inspectParked = (
  store: Store,
  processor: string,
  position: PositionInput,
  options?: Abortable
): Promise<InspectedEvent> => callPlain(options, () => inspectEffect(store.effect, processor, position))

/**
 * Asks that a parked event be tried again, by whoever runs its partition, and what waits behind it afterwards. Asking
 * for one that waits or was dropped lets it be parked, and tried, again. Rejects with `Invalid` where none is parked
 * there, and as every commit.
 */
export const retryParked = (
  store: Store,
  processor: string,
  position: PositionInput,
  options?: Abortable
): Promise<void> => callPlain(options, () => retryEffect(store.effect, processor, position))

/**
 * Drops a parked event: it is never handled, and what waits behind it goes on. It stays listed. Rejects with `Invalid`
 * where none is parked there, and as every commit.
 */
export const dropParked = (
  store: Store,
  processor: string,
  position: PositionInput,
  options?: Abortable
): Promise<void> => callPlain(options, () => dropEffect(store.effect, processor, position))

/**
 * Lets a processor begin again, all of its partitions in one commit: whoever runs it is fenced and goes on from there.
 * A subscription's handler is given the events again, under the same keys; what a reaction made stays, and is made
 * again; a read model's states are cleared, and readers see it grow. Rejects with `Invalid` where nobody knows it, for
 * a place beyond the head, for a workflow, and for a read model over truncated streams without `allowTruncated`; and as
 * every read and commit.
 */
export const reset = (store: Store, processor: string, options?: ResetOptions & Abortable): Promise<void> =>
  call(options, (own) => resetEffect(store.effect, processor, own))

/**
 * Adopts into the store's present history what a processor had done in another one, as after a restore: it goes on from
 * its restored checkpoints, a workflow with its instances and timers. Adopting again changes nothing. Rejects with
 * `Invalid` where nobody knows it, where a checkpoint lies beyond the head and nothing says `from` where to go on (of a
 * read model or tables nothing can), for `from` where none does, and for a place beyond the head; and as every read and
 * commit.
 */
export const adopt = (store: Store, processor: string, options?: AdoptOptions & Abortable): Promise<Adopted> =>
  call(options, (own) => adoptEffect(store.effect, processor, own))

/**
 * Forgets a processor that is no longer run, with everything that is kept of it: compaction no longer waits for it, and
 * nobody misses it. Rejects with `Invalid` where nobody knows it, where a runner that has it is alive, and for the live
 * version of a read model beside another; and as every read and commit.
 */
export const forget = (store: Store, processor: string, options?: Abortable): Promise<void> =>
  callPlain(options, () => forgetEffect(store.effect, processor))

/**
 * Makes a version of a read model live, in one commit: one that waits to go live by hand, or one from before. Beside a
 * newer version it is pinned until one is switched to by hand. Rejects with `Invalid` where no such version was begun,
 * and where it is behind the live one or misses events that this one has, unless `anyway`; and as every commit.
 */
export const switchLive = (
  store: Store,
  readModel: string,
  version: number,
  options?: SwitchOptions & Abortable
): Promise<void> => call(options, (own) => switchEffect(store.effect, readModel, version, own))

/** Two versions of a read model, and how far each had come when they began to be compared. */
export interface Comparison extends Omit<ComparisonEffect, "differences"> {
  /** The keys in which they differ, in order, read as they are asked for. */
  readonly differences: Reading<Difference>
}

/**
 * Compares the stored states of two versions of a read model, key by key. What moves on meanwhile may show as a
 * difference: compare what has caught up. Rejects with `Invalid` where one of them was never begun, and as every read.
 */
export const compareVersions = (
  store: Store,
  readModel: string,
  before: number,
  after: number,
  options?: Abortable
): Promise<Comparison> => {
  const [, signal] = split(options)
  return callPlain(
    options,
    () =>
      Effect.map(compareEffect(store.effect, readModel, before, after), (compared): Comparison => ({
        ...compared,
        differences: reading({ signal }, plain(compared.differences))
      }))
  )
}
