/** What has happened in a test: events written and read through their schemas as in a store, but without one. */
import { make } from "@persist/backend-memory"
import {
  type About,
  type Catalogue,
  type EventOf,
  type InputOf,
  Invalid,
  logOps,
  Position,
  Seq,
  type StoredEvent
} from "@persist/core"
import { Draft } from "@persist/core/draft"
import { timeFault } from "@persist/core/fault"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

/** The stream of events that don't name theirs. */
export const defaultStream = "test"

/** When the first event happens unless it says otherwise: the beginning of 2026 in UTC. */
export const defaultTime = Date.UTC(2026, 0, 1)

/** What has happened, in the total order. */
export interface History {
  /** Of the store in memory whose limits the events keep. */
  readonly about: About
  readonly events: ReadonlyArray<StoredEvent>
  /** When an event happens that doesn't say, in milliseconds since 1970. */
  readonly at: number
}

/** An event about to happen, and its stream. */
export interface Happening<I> {
  readonly stream: string
  readonly input: I
}

/** A history in which nothing has happened. */
export const emptyHistory = (): History => ({ about: Effect.runSync(make()).about, events: [], at: defaultTime })

/** The same history at another time. Throws `Invalid` for what is no time. */
export const movedTo = (history: History, time: Date | number): History => {
  const at = time instanceof Date ? time.getTime() : time
  const fault = timeFault("at", at)
  if (fault !== undefined) throw fault
  return { ...history, at }
}

/**
 * The history with further events, each drafted as an append drafts it. An event without a time happens when the one
 * before it did. Throws `Invalid` for an event that no store would take: `what` and its number name it.
 */
export const continued = <C extends Catalogue>(
  history: History,
  catalogue: C,
  what: string,
  happenings: ReadonlyArray<Happening<InputOf<C>>>
): History => {
  const ops = logOps<InputOf<C>>(catalogue)
  const events = [...history.events]
  const lengths = new Map<string, number>()
  for (const { stream } of events) lengths.set(stream, (lengths.get(stream) ?? 0) + 1)
  let { at } = history
  for (const [i, { input, stream }] of happenings.entries()) {
    const draft = new Draft(history.about, at)
    const drafted = ops.append(stream, input, { expected: "any" })["~persist/Op"](draft) ??
      draft.finish(undefined, undefined)
    if (!("append" in drafted)) throw impossible(`${what} ${i + 1}`, drafted)
    for (const event of drafted.append.flatMap((append) => append.events)) {
      const seq = Seq((lengths.get(stream) ?? 0) + 1)
      lengths.set(stream, seq)
      events.push({ stream, seq, position: Position(events.length + 1), ...event })
      at = event.at
    }
  }
  return { ...history, events, at }
}

const impossible = (what: string, cause: Error): Invalid =>
  new Invalid({ field: what, reason: "no store would take it", remedy: cause.message, cause })

/** Events as a reader with this catalogue meets them. Throws `Corrupt` where it can't read one. */
export const decoded = <C extends Catalogue>(
  events: ReadonlyArray<StoredEvent>,
  catalogue: C
): ReadonlyArray<EventOf<C>> =>
  events.flatMap((stored) => {
    const event = Result.getOrThrow(catalogue.decode(stored))
    return event === undefined ? [] : [event]
  })
