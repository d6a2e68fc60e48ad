/** What a store of the smallest kind can do, and how its functions are called: each may answer at once or later. */
import { Corrupt, Invalid, OutcomeUnknown, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"

/** A value, or a Promise of one. */
export type Soon<A> = A | Promise<A>

/** An event as the functions keep it: five fields, of which `data` is text of ours. */
export interface SixEvent {
  readonly stream: string
  /** 1, 2, 3… within the stream; given by the caller. */
  readonly seq: number
  readonly type: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly data: string
}

/**
 * The six functions. Names and texts must come back exactly as they went in, and one that throws or rejects may or may
 * not have done what it was asked. They are called by one handle at a time, and one after
 * another: the next when the last has answered, whether anybody still waits for it or not.
 */
export interface SixFunctions {
  /** Puts an event, whole, at the end of a stream. */
  readonly append: (stream: string, event: SixEvent) => unknown
  /** Every event of a stream in the order of appending; nothing, or an empty list, where there is no such stream. */
  readonly read: (stream: string) => Soon<ReadonlyArray<SixEvent> | null | undefined>
  /** The value under a key; `null` or `undefined` where there is none. */
  readonly kvGet: (key: string) => Soon<string | null | undefined>
  readonly kvPut: (key: string, value: string) => unknown
  /** The snapshot of this name; `null` or `undefined` where there is none. */
  readonly snapshotRead: (name: string) => Soon<string | null | undefined>
  readonly snapshotWrite: (name: string, snapshot: string) => unknown
}

/** The functions' names. */
export const functionNames = ["append", "read", "kvGet", "kvPut", "snapshotRead", "snapshotWrite"] as const

/** What is missing of the six, or `undefined`. */
export const functionsFault = (functions: SixFunctions): Invalid | undefined => {
  const missing = functionNames.find((name) => typeof functions?.[name] !== "function")
  if (missing === undefined) return undefined
  return new Invalid({ field: missing, reason: "is no function", remedy: `pass all six: ${functionNames.join(", ")}` })
}

/** What was thrown or rejected with. */
interface Thrown {
  readonly cause: unknown
}

const thrown = (cause: unknown): Thrown => ({ cause })

const perform = <A>(use: () => Soon<A>): Effect.Effect<A, Thrown> =>
  Effect.suspend(() => {
    const answer = Result.try({ try: use, catch: thrown })
    if (Result.isFailure(answer)) return Effect.fail(answer.failure)
    const soon = answer.success
    return Predicate.isPromise(soon) ? Effect.tryPromise({ try: () => soon, catch: thrown }) : Effect.succeed(soon)
  })

/** Calls a function of which nothing remains where it fails: `Unavailable`. */
export const ask = <A>(operation: string, use: () => Soon<A>): Effect.Effect<A, Unavailable> =>
  Effect.mapError(perform(use), ({ cause }) =>
    new Unavailable({
      operation,
      reason: "the function failed",
      remedy: "try again; where it fails again, mend it by its own error, the cause of this one",
      cause
    }))

/** Calls a function that changes the store; `OutcomeUnknown` where it fails, since nobody can tell how far it got. */
export const askToWrite = (operation: string, use: () => unknown): Effect.Effect<void, OutcomeUnknown> =>
  Effect.asVoid(
    Effect.mapError(perform(use), ({ cause }) =>
      new OutcomeUnknown({ id: undefined, reason: `the function ${operation} failed`, cause }))
  )

/** What can't be true of an answer. */
export const wrongAnswer = (where: string, reason: string): Corrupt =>
  new Corrupt({ where, reason, remedy: "mend the functions, or restore what they keep from a backup" })
