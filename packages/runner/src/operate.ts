/** What operators say of processors: pause, resume, and what becomes of events that were put aside. */
import {
  type AnyValue,
  type Entry,
  type Event,
  Invalid,
  type Op,
  type Position,
  type StoreError,
  type StoreShape
} from "@persist/core"
import * as Fault from "@persist/core/fault"
import { quoted } from "@persist/core/path"
import { closest } from "@persist/core/suggest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Attempt } from "./failure.ts"
import { controls, knownProcessors, type Parked, parked as parkedIn, parkedKey } from "./names.ts"

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

/** How a processor is paused. */
export interface PauseOptions {
  /** Also one that was never run here: it waits from the beginning on. */
  readonly anyway?: boolean | undefined
}

/**
 * Stops a processor everywhere, once each partition has finished and saved what it has in hand, until it is resumed.
 * Whoever runs it notices within a look. Fails with `Invalid` where nobody knows it, unless `anyway`, and as every read
 * and commit.
 */
export const pause = Effect.fnUntraced(function*(
  store: StoreShape,
  processor: string,
  options: PauseOptions = {}
): Effect.fn.Return<void, StoreError> {
  const fault = Fault.optionsFault(options, ["anyway"]) ?? Fault.flagFault("anyway", options.anyway)
  if (fault !== undefined) return yield* Effect.fail(fault)
  if (options.anyway !== true) yield* demandKnown(store, processor, ", or pause it anyway, before it's first run")
  yield* controls(store).put(processor, { paused: true })
})

/**
 * Lets a paused processor go on, and partitions that stopped at a failure try again. Fails with `Invalid` where nobody
 * knows it, and as every read and commit.
 */
export const resume = Effect.fnUntraced(function*(
  store: StoreShape,
  processor: string
): Effect.fn.Return<void, StoreError> {
  // It may have been paused before it was first run.
  if (!(yield* controls(store).has(processor))) yield* demandKnown(store, processor)
  yield* controls(store).put(processor, { paused: false })
})

const demandKnown = Effect.fnUntraced(function*(
  store: StoreShape,
  processor: string,
  otherwise = ""
): Effect.fn.Return<void, StoreError> {
  const names = (yield* Stream.runCollect(knownProcessors(store).scan())).map(({ key }) => key)
  if (names.includes(processor)) return
  const near = closest(processor, names)
  return yield* Effect.fail(
    new Invalid({
      field: "name",
      reason: `${quoted(processor)} isn't known here`,
      remedy: `${
        near.length === 0 ? "list what is" : `say ${near.map(quoted).join(" or ")}, if you mean that`
      }${otherwise}`
    })
  )
})

/**
 * Makes an op that leaves a processor paused or not, as it is, and lets whoever runs it or was refused it begin again:
 * a commit with it is a conflict where somebody says something else meanwhile. Fails as every read.
 */
export const spur = (store: StoreShape, processor: string): Effect.Effect<Op, StoreError> =>
  Effect.map(controls(store).entry(processor), (said) => {
    const paused = Option.exists(said, ({ value }) => value.paused)
    const expected = Option.match(said, { onNone: () => "absent" as const, onSome: ({ revision }) => revision })
    return controls(store).ops.put(processor, { paused }, { expected })
  })

const told = ({ at, value: { isUntold: _, ...event } }: Entry<Parked>): ParkedEvent => ({ ...event, updatedAt: at })

/** Emits the events that were put aside, of one processor or of all, by processor and position. Fails as every read. */
export const listParked = (store: StoreShape, processor?: string): Stream.Stream<ParkedEvent, StoreError> =>
  parkedIn(store).scan(processor === undefined ? {} : { prefix: `${processor}/` }).pipe(
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
  const found = yield* parkedIn(store).entry(parkedKey(processor, position))
  if (Option.isNone(found)) return yield* nothingParked(processor, position)
  const parked = told(found.value)
  const { seq, stream } = parked
  const event = yield* Stream.runHead(store.log().read(stream, { from: seq, to: seq }))
  return { parked, event: Option.getOrUndefined(event) }
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
  const kv = parkedIn(store)
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
