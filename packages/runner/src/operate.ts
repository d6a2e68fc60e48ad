/** What operators say of processors: pause, resume, and what becomes of events that were put aside. */
import {
  type AnyValue,
  type Entry,
  type Event,
  Invalid,
  type Position,
  type StoreError,
  type StoreShape
} from "@persist/core"
import { quoted } from "@persist/core/path"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Attempt } from "./failure.ts"
import { controls, type Parked, parked, parkedKey } from "./names.ts"

/** An event that was put aside. */
export interface ParkedEvent {
  readonly processor: string
  /** The partition's reader. */
  readonly reader: string
  readonly stream: string
  readonly seq: number
  readonly position: number
  readonly type: string
  /** What order is kept by: what follows with one of these keys waits. */
  readonly keys: ReadonlyArray<string>
  /** `behind` one of the same key; `retry`: to be tried again; `dropped`: never, not even by a rebuild. */
  readonly state: "parked" | "behind" | "retry" | "dropped"
  /** Each time it failed, in order. */
  readonly attempts: ReadonlyArray<Attempt>
  /** When it was put aside or last tried, in milliseconds since 1970. */
  readonly updatedAt: number
}

/**
 * Stops a processor everywhere, once each partition has finished and saved what it has in hand, until it is resumed.
 * Whoever runs it notices within a look. Fails as every commit.
 */
export const pause = (store: StoreShape, processor: string): Effect.Effect<void, StoreError> =>
  Effect.asVoid(controls(store).put(processor, { paused: true }))

/** Lets a paused processor go on, and partitions that stopped at a failure try again. Fails as every commit. */
export const resume = (store: StoreShape, processor: string): Effect.Effect<void, StoreError> =>
  Effect.asVoid(controls(store).put(processor, { paused: false }))

const told = ({ at, value }: Entry<Parked>): ParkedEvent => ({ ...value, updatedAt: at })

/** Emits the events that were put aside, of one processor or of all, by processor and position. Fails as every read. */
export const listParked = (store: StoreShape, processor?: string): Stream.Stream<ParkedEvent, StoreError> =>
  parked(store).scan(processor === undefined ? {} : { prefix: `${processor}/` }).pipe(
    // Another one's name may begin with this one's and a slash.
    Stream.filter(({ value }) => processor === undefined || value.processor === processor),
    Stream.map(told)
  )

/** A parked event with what it says. */
export interface InspectedEvent {
  readonly parked: ParkedEvent
  /** As it is stored, undecoded; `undefined` where it was truncated or deleted meanwhile. */
  readonly event: Event<string, AnyValue> | undefined
}

/** Reads a parked event with its attempts. Fails with `Invalid` where none is parked there, and as every read. */
export const inspectParked = Effect.fnUntraced(function*(
  store: StoreShape,
  processor: string,
  position: Position | number
): Effect.fn.Return<InspectedEvent, StoreError> {
  const found = yield* parked(store).entry(parkedKey(processor, position))
  if (Option.isNone(found)) return yield* nothingParked(processor, position)
  const { seq, stream } = found.value.value
  const event = yield* Stream.runHead(store.log().read(stream, { from: seq, to: seq }))
  return { parked: told(found.value), event: Option.getOrUndefined(event) }
})

/**
 * Asks that a parked event be tried again, by whoever runs its partition, and what waits behind it afterwards. Asking
 * for one that waits or was dropped lets it be parked, and tried, again. Fails with `Invalid` where none is parked
 * there, and as every commit.
 */
export const retryParked = (
  store: StoreShape,
  processor: string,
  position: Position | number
): Effect.Effect<void, StoreError> => say(store, processor, position, "retry")

/**
 * Drops a parked event: it is never handled, and what waits behind it goes on. It stays listed. Fails with `Invalid`
 * where none is parked there, and as every commit.
 */
export const dropParked = (
  store: StoreShape,
  processor: string,
  position: Position | number
): Effect.Effect<void, StoreError> => say(store, processor, position, "dropped")

const say = Effect.fnUntraced(function*(
  store: StoreShape,
  processor: string,
  position: number,
  state: "retry" | "dropped"
): Effect.fn.Return<void, StoreError> {
  const kv = parked(store)
  while (true) {
    const found = yield* kv.entry(parkedKey(processor, position))
    if (Option.isNone(found)) return yield* nothingParked(processor, position)
    const { key, revision, value } = found.value
    const said = yield* kv.put(key, { ...value, state }, { expected: revision })
    if (said._tag === "Committed") return
  }
})

const nothingParked = (processor: string, position: number): Invalid =>
  new Invalid({
    field: "position",
    reason: `${quoted(processor)} has no event parked at ${position}`,
    remedy: "list what is parked; an event that went through meanwhile is no longer"
  })
