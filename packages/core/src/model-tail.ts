/** A read model's tail: its events beyond the checkpoint, folded in memory onto the states that are stored. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Catalogue, EventOf } from "./catalogue.ts"
import {
  checkpointCodec,
  checkpointNamespace,
  checkpointOf,
  type ReaderFilter,
  sameFilter,
  staleCheckpoint
} from "./checkpoint.ts"
import type { ReadOptions } from "./engine.ts"
import { type StoreError, Unavailable } from "./error.ts"
import { type EventSource, pagesTo } from "./event-pages.ts"
import { decodeEntry } from "./kv-read.ts"
import type { Entry } from "./kv.ts"
import { foreignKeys, otherEvents, threw } from "./model-fault.ts"
import { keysOf } from "./model-keys.ts"
import { quoted } from "./path.ts"
import type { ReadModel } from "./read-model.ts"
import { origin, type Position } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** An event, and the keys that it changes. */
export interface Keyed<E> {
  readonly event: E
  readonly keys: ReadonlyArray<string>
}

/** Some states as they are stored, how far they have come, and how far the log had then. */
export interface Stored<A> {
  readonly entries: ReadonlyMap<string, Entry<A>>
  /** The checkpoint's position: everything at or below it is in the states, nothing above it. 0 without one. */
  readonly from: Position
  readonly head: Position
}

/**
 * Reads states and the checkpoint in one read, which shows them as of one moment. `Corrupt` for a checkpoint of another
 * history and a state that can't be read, `Invalid` for a model that was built over other events, or a namespace that
 * holds somebody else's keys.
 */
export const readStored = Effect.fnUntraced(function*<C extends Catalogue, A>(
  { about, engine }: StoreShape,
  { codec, namespace, reader }: ReadModel<C, A>,
  filter: ReaderFilter,
  keys: ReadonlyArray<string>,
  options?: ReadOptions
): Effect.fn.Return<Stored<A>, StoreError> {
  const names = keys.map((key) => ({ namespace, key }))
  const get = engine.backend.get([{ namespace: checkpointNamespace, key: reader }, ...names])
  const [found, ...stored] = yield* engine.reading(options, get)
  // Read after the checkpoint, so that it can't lie beyond it but in another history.
  const head = yield* engine.reading(undefined, engine.backend.head)
  const entries = new Map<string, Entry<A>>()
  for (const entry of stored) {
    if (entry === undefined) continue
    if (found === undefined) return yield* Effect.fail(foreignKeys(namespace))
    entries.set(entry.key, yield* Effect.fromResult(decodeEntry(codec, entry)))
  }
  if (found === undefined) return { entries, from: origin, head }
  const checkpoint = checkpointOf(yield* Effect.fromResult(decodeEntry(checkpointCodec, found)))
  const fault = staleCheckpoint(about, head, checkpoint) ??
    (sameFilter(checkpoint, filter) ? undefined : otherEvents(namespace))
  return fault === undefined ? { entries, from: checkpoint.position, head } : yield* Effect.fail(fault)
})

/** Goes through a tail page by page; answers how many events it has. `Unavailable` where they are more than `most`. */
export const passTail = <C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  source: EventSource<EventOf<C>>,
  { from, head }: Pick<Stored<A>, "from" | "head">,
  most: number,
  each: (page: ReadonlyArray<Keyed<EventOf<C>>>) => Result.Result<void, StoreError>
): Effect.Effect<number, StoreError> =>
  Effect.suspend(() => {
    const { nameBytes } = store.about.limits
    let events = 0
    const take = (items: ReadonlyArray<EventOf<C>>): Result.Result<void, StoreError> => {
      events += items.length
      if (events > most) return Result.fail(tooFar(model.namespace, most))
      const keyed: Array<Keyed<EventOf<C>>> = []
      for (const event of items) {
        const keys = keysOf(model, event, nameBytes)
        if (Result.isFailure(keys)) return Result.fail(keys.failure)
        keyed.push({ event, keys: keys.success })
      }
      return each(keyed)
    }
    const passed = Stream.runForEach(pagesTo(source, from, head), ({ items }) => Effect.fromResult(take(items)))
    return Effect.map(passed, () => events)
  })

const tooFar = (namespace: string, most: number): Unavailable =>
  new Unavailable({
    operation: "strong",
    reason: `the read model ${quoted(namespace)} is more than ${most} of its events behind`,
    remedy: "check that it is running and wait for it, or let a longer tail be folded"
  })

/** The states of some keys, while events are folded onto them. */
export class TailStates<C extends Catalogue, A> {
  private readonly changed = new Map<string, { readonly state: A | undefined; readonly event: EventOf<C> }>()
  private readonly model: ReadModel<C, A>
  private readonly keys: ReadonlySet<string>
  private readonly stored: ReadonlyMap<string, Entry<A>>

  constructor(model: ReadModel<C, A>, keys: ReadonlySet<string>, stored: ReadonlyMap<string, Entry<A>>) {
    this.model = model
    this.keys = keys
    this.stored = stored
  }

  /** Folds events, as far as they change these keys; `Invalid` where the step throws. Then nobody may go on with it. */
  fold(page: Iterable<Keyed<EventOf<C>>>): Result.Result<void, StoreError> {
    const { seed, step } = this.model
    for (const { event, keys } of page) {
      for (const key of keys) {
        if (!this.keys.has(key)) continue
        const known = this.changed.get(key)
        const before = known === undefined ? this.stored.get(key)?.value : known.state
        const after = Result.try({
          try: () => step(before === undefined ? seed() : before, event, key),
          catch: (cause) => threw("step", event, cause)
        })
        if (Result.isFailure(after)) return Result.fail(after.failure)
        this.changed.set(key, { state: after.success, event })
      }
    }
    return Result.succeed(undefined)
  }

  /**
   * The entries as they would be stored: what changed was written at its last event. `Invalid` for a state that can't
   * be.
   */
  entries(): Result.Result<ReadonlyMap<string, Entry<A>>, StoreError> {
    const entries = new Map(this.stored)
    for (const [key, { event, state }] of this.changed) {
      if (state === undefined) {
        entries.delete(key)
        continue
      }
      const { codec } = this.model
      const field = `state of key ${quoted(key)}`
      const value = Result.flatMap(codec.encode(field, state), (payload) => codec.decode(field, payload))
      if (Result.isFailure(value)) return Result.fail(value.failure)
      entries.set(key, { key, value: value.success, revision: event.position, at: event.at, meta: undefined })
    }
    return Result.succeed(entries)
  }
}
