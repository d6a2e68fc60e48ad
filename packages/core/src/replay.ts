/** A fold under way: what its state is, what is in it, and what whoever goes on from it must find in the log. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { StoredEvent } from "./backend.ts"
import type { Catalogue, EventOf } from "./catalogue.ts"
import type { Corrupt, Invalid, StoreError } from "./error.ts"
import { eventFingerprint } from "./fingerprint.ts"
import { quoted } from "./path.ts"
import { foldResult, type Projection, seedResult } from "./projection.ts"
import type { Cut } from "./scope.ts"
import { noSeq, origin, type Position, type Seq } from "./sequence.ts"

/** An event that a state ends with: whoever goes on from the state must find the very same one there. */
export interface Anchor {
  readonly stream: string
  readonly seq: Seq
  readonly fingerprint: string
}

/** Events that a replay needs were truncated or deleted. */
export interface Hole {
  readonly _tag: "Hole"
  readonly reason: string
}

/** The state that a replay went on from is of another history than the log's. */
export interface Astray {
  readonly _tag: "Astray"
  readonly reason: string
}

/** What stops a replay. */
export type Trouble = StoreError | Hole | Astray

/** A saved state to go on from. */
export interface Standpoint<S> {
  readonly state: S
  /** Everything of the scope at or below it is in the state. */
  readonly position: Position
  /** The latest `at` of an event in the state. */
  readonly latest: number
  /** The last event of each named stream in the state; of a prefix, the log's last event at or below its position. */
  readonly anchors: ReadonlyArray<Anchor>
  /** Whether it was saved by this very history, so that an anchor may be gone if it was truncated. */
  readonly native: boolean
}

/** The last event of a stream, as far as it's known. */
type End = StoredEvent | Anchor | Pick<StoredEvent, "stream" | "seq">

/** A fold under way: the state so far, what is in it, and what it took. */
export class Replay<S, C extends Catalogue> {
  readonly projection: Projection<S, C>
  readonly from: Standpoint<S> | undefined
  state: S
  /** Everything of the scope at or below it is in the state, or left out as later than was asked for. */
  position: Position
  /** The latest `at` of an event in the state; `-Infinity` before the first. */
  latest: number
  /** Events read, beyond those in the state it began with. */
  replayed = 0
  /** Sum of their data's lengths: UTF-16 units of text, bytes of bytes. */
  size = 0
  /** Whether it went over a hole, as only a tolerant replay does. */
  holed = false
  /** The last event of each named stream. */
  readonly ends = new Map<string, End>()

  constructor(projection: Projection<S, C>, from: Standpoint<S> | undefined, state: S) {
    this.projection = projection
    this.from = from
    this.state = state
    this.position = from?.position ?? origin
    this.latest = from?.latest ?? -Infinity
    for (const anchor of from?.anchors ?? []) this.ends.set(anchor.stream, anchor)
  }

  /** The last seq of a named stream. */
  seq(stream: string): Seq {
    return this.ends.get(stream)?.seq ?? noSeq
  }

  /** What whoever goes on from here must find in the named streams. */
  anchors(): ReadonlyArray<Anchor> {
    const anchors: Array<Anchor> = []
    for (const end of this.ends.values()) {
      if ("fingerprint" in end) anchors.push(end)
      else if ("type" in end) anchors.push(anchorOf(end))
    }
    return anchors
  }

  /** Folds events and counts them; after a failure nobody may go on with it. */
  take(events: ReadonlyArray<StoredEvent>, { at }: Cut): Effect.Effect<void, StoreError> {
    return Effect.suspend((): Effect.Effect<void, StoreError> => {
      const within = at === Infinity ? events : events.filter((event) => event.at <= at)
      const decoding = new Decoding(this.projection.events, within)
      const folded = foldResult(this.projection, decoding, this.state)
      if (decoding.fault !== undefined) return Effect.fail(decoding.fault)
      if (Result.isFailure(folded)) return Effect.fail(folded.failure)
      this.state = folded.success
      this.replayed += within.length
      for (const event of within) {
        this.size += event.data.length
        if (event.at > this.latest) this.latest = event.at
      }
      const last = events.at(-1)
      if (last !== undefined) this.position = last.position
      return Effect.void
    })
  }
}

/** Events that are decoded as they are asked for, so that none is kept beyond its step; it ends before a fault. */
class Decoding<C extends Catalogue> implements Iterable<EventOf<C>> {
  fault: Corrupt | undefined
  private readonly catalogue: C
  private readonly events: ReadonlyArray<StoredEvent>

  constructor(catalogue: C, events: ReadonlyArray<StoredEvent>) {
    this.catalogue = catalogue
    this.events = events
  }

  *[Symbol.iterator](): Iterator<EventOf<C>> {
    for (const event of this.events) {
      const decoded = this.catalogue.decode(event)
      if (Result.isFailure(decoded)) {
        this.fault = decoded.failure
        return
      }
      if (decoded.success !== undefined) yield decoded.success
    }
  }
}

/** A replay that begins with a saved state, or with the seed; `Invalid` where the seed throws. */
export const beginReplay = <S, C extends Catalogue>(
  projection: Projection<S, C>,
  from: Standpoint<S> | undefined
): Result.Result<Replay<S, C>, Invalid> =>
  Result.map(
    from === undefined ? seedResult(projection) : Result.succeed(from.state),
    (state) => new Replay(projection, from, state)
  )

/** What to know an event by. */
export const anchorOf = (event: StoredEvent): Anchor => ({
  stream: event.stream,
  seq: event.seq,
  fingerprint: eventFingerprint(event)
})

/** Whether an event is the one that a saved state ends with. */
export const isAnchor = ({ fingerprint, seq }: Anchor, event: StoredEvent): boolean =>
  event.seq === seq && eventFingerprint(event) === fingerprint

/** That the event a saved state ends with is not there, or another one is. */
export const astray = ({ seq, stream }: Anchor, found: StoredEvent | undefined): Astray => ({
  _tag: "Astray",
  reason: found?.seq === seq
    ? `event ${seq} of stream ${quoted(stream)} is another one than it ends with`
    : `event ${seq} of stream ${quoted(stream)}, which it ends with, is not there`
})

/** That events of a stream are missing. */
export const hole = (stream: string, from: number, to: number): Hole => ({
  _tag: "Hole",
  reason: from === to
    ? `event ${from} of stream ${quoted(stream)} was truncated`
    : `the events ${from} to ${to} of stream ${quoted(stream)} were truncated`
})
