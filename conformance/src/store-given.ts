/** What laws of stores give a store, and the shortest ways to ask it: events and keys by their data. */
import type {
  AnyValue,
  Committed,
  Conflict,
  EventsAppended,
  KeyWritten,
  Log,
  Op,
  ReadStreamOptions,
  StoreError,
  StoreShape
} from "@persist/core"
import { isStoreError } from "@persist/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { type Broken, broken, holds, show } from "./assertion.ts"

/** An event by its data; its type is `"T"` unless said otherwise. */
export const input = (data: number | string, type = "T") => ({ type, data })

/** The numbers from 1, or from `first`. */
export const count = (length: number, first = 1): ReadonlyArray<number> => Array.from({ length }, (_, n) => n + first)

/** Appends events one commit each, all at once, so that they share flushes and keep their order. */
export const fill = (
  store: StoreShape,
  stream: string,
  data: ReadonlyArray<number | string>,
  type?: string
): Effect.Effect<ReadonlyArray<EventsAppended>, StoreError> => {
  const log = store.log()
  return Effect.forEach(data, (each) => log.append(stream, input(each, type), { expected: "any" }), atOnce)
}

/** Puts keys one commit each, all at once. */
export const fillKeys = (
  store: StoreShape,
  namespace: string,
  keys: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<KeyWritten>, StoreError> => {
  const kv = store.kv(namespace)
  return Effect.forEach(keys, (key) => kv.put(key, key), atOnce)
}

/** Does many things to streams and keys that are all different, in few commits where the store can, else one each. */
export const inBulk = (store: StoreShape, ops: ReadonlyArray<Op>): Effect.Effect<void, StoreError> => {
  const each = store.about.lacks.has("atomic") ? 1 : Math.min(500, store.about.limits.commitEvents)
  const commits = Array.from({ length: Math.ceil(ops.length / each) }, (_, n) => ops.slice(n * each, (n + 1) * each))
  return Effect.forEach(commits, (some) => store.commit(some), { ...atOnce, discard: true })
}

/** Appends many events, in few commits where the store can. */
export const fillLong = (store: StoreShape, stream: string, data: ReadonlyArray<number>) => {
  const { ops } = store.log()
  const each = store.about.lacks.has("atomic") ? 1 : 500
  const parts = Array.from({ length: Math.ceil(data.length / each) }, (_, n) => data.slice(n * each, (n + 1) * each))
  return Effect.forEach(
    parts,
    (part) => store.commit([ops.append(stream, part.map((one) => input(one)), { expected: "any" })]),
    { ...atOnce, discard: true }
  )
}

const atOnce = { concurrency: "unbounded" } as const

/** The data of a stream's events. */
export const dataOf = (
  store: StoreShape,
  stream: string,
  options?: ReadStreamOptions
): Effect.Effect<ReadonlyArray<AnyValue>, StoreError> =>
  Effect.map(Stream.runCollect(store.log().read(stream, options)), dataIn)

/** The data of events, in their order. */
export const dataIn = (events: ReadonlyArray<{ readonly data: AnyValue }>): ReadonlyArray<AnyValue> =>
  events.map(({ data }) => data)

/** The data of every event there is. */
export const allData = (store: StoreShape): Effect.Effect<ReadonlyArray<AnyValue>, StoreError> =>
  Effect.map(Stream.runCollect(store.log().readAll()), dataIn)

/** The keys of a namespace. */
export const keysOf = (store: StoreShape, namespace: string): Effect.Effect<ReadonlyArray<string>, StoreError> =>
  Effect.map(Stream.runCollect(store.kv(namespace).scan()), (entries) => entries.map(({ key }) => key))

/** What a commit made of it, which must be that it happened. */
export const done = <A extends { readonly _tag: "Committed" }, E>(
  outcome: Effect.Effect<A | Conflict, E>
): Effect.Effect<A, E | Broken> =>
  Effect.flatMap(
    outcome,
    (one) =>
      one._tag === "Committed" ? Effect.succeed(one) : broken(`the commit should have happened, saw ${show(one)}`)
  )

/** What a commit made of it, which must be a conflict. */
export const lost = <E>(
  outcome: Effect.Effect<Committed | EventsAppended | KeyWritten | Conflict, E>
): Effect.Effect<Conflict, E | Broken> =>
  Effect.flatMap(
    outcome,
    (one) =>
      one._tag === "Conflict" ? Effect.succeed(one) : broken(`the commit should have conflicted, saw ${show(one)}`)
  )

/** How something failed, which it must with one of the store's errors, of this tag and about this field or place. */
export const failing = (
  what: string,
  effect: Effect.Effect<unknown, unknown>,
  tag: StoreError["_tag"],
  about?: string
): Effect.Effect<StoreError, Broken> =>
  Effect.matchEffect(effect, {
    onSuccess: (value) => broken(`${what}: should have failed with ${tag}, but gave ${show(value)}`),
    onFailure: (error) =>
      isStoreError(error) && error._tag === tag && (about === undefined || namedBy(error).includes(about))
        ? Effect.succeed(error)
        : broken(
          `${what}: should have failed with ${tag}${about ? ` about ${about}` : ""}, but failed with ${String(error)}`
        )
  })

const namedBy = (error: StoreError): string =>
  error._tag === "Invalid" || error._tag === "LimitExceeded" ? error.field : error._tag === "Corrupt" ? error.where : ""

/** What a caller without types may pass. */
// Getting past the compiler is what it is for.
export const untyped = <A>(value: unknown): A => value as A

/** A clock that stands at a time, or tells a new one each time; nothing takes any time on it, unless it's said how. */
export const clockAt = (
  now: number | (() => number),
  sleep: Clock.Clock["sleep"] = () => Effect.yieldNow
): Clock.Clock => {
  const millis = typeof now === "number" ? () => now : now
  const nanos = () => BigInt(millis()) * million
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep
  }
}

const million = BigInt(1_000_000)

/** Does something as if it were a certain time; what waits for time to pass goes on at once. */
export const at = <A, E, R>(now: number, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, Clock.Clock, clockAt(now))

/** Lets everything else that can run do so many times over, then makes sure that a fiber still waits. */
export const stillWaits = Effect.fnUntraced(function*(what: string, fiber: Fiber.Fiber<unknown, unknown>) {
  yield* Effect.forEach(count(10), () => Effect.yieldNow, { discard: true })
  yield* holds(fiber.pollUnsafe() === undefined, `${what}: it should still wait`)
})

/** A log of any catalogue, read whole. */
export const readWhole = <E, I>(log: Log<E, I>, stream: string) => Stream.runCollect(log.read(stream))
