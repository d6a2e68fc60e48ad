/** The diff of a projection: its states at two moments, what differs, and the events that made the difference. */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import type { Catalogue, EventOf } from "./catalogue.ts"
import type { ReadOptions } from "./engine.ts"
import { Invalid, type StoreError } from "./error.ts"
import type { Event } from "./event.ts"
import * as Fault from "./fault.ts"
import { patchOf, type PatchOperation } from "./json-patch.ts"
import { type Json, parseJson } from "./json.ts"
import { loadReplay } from "./load.ts"
import { quoted } from "./path.ts"
import type { Projection } from "./projection.ts"
import { reached } from "./replay-streams.ts"
import { type AsOf, type Cut, type Plan, planOf, type Scope, scopeKeys } from "./scope.ts"
import { type Position, unbounded } from "./sequence.ts"
import { onlyStream } from "./snapshot.ts"
import type { StoreShape } from "./store.ts"

/** Between which moments. */
export interface DiffOptions extends ReadOptions {
  /** The earlier moment, in the past or 0 for the beginning: a seq (of one stream), a position or a time. */
  readonly from: AsOf
  /** The later one, of the same kind; now where it is left out. */
  readonly to?: AsOf | undefined
  /** Most events to be given, the first ones: 100 by default. They are counted beyond it. */
  readonly events?: number | undefined
  /** Folds what is left of streams whose first events were truncated or deleted. */
  readonly allowTruncated?: boolean | undefined
}

/** What became of a state. */
export interface Diff<S, E> {
  /** The state as of `from`. */
  readonly before: S
  /** The state as of `to`. */
  readonly after: S
  /** What makes the JSON form of `after` of that of `before`, as a JSON Patch (RFC 6902); bytes are `{ base64 }`. */
  readonly patch: ReadonlyArray<PatchOperation>
  /** The first of the events that made it, those after `from` up to `to`, as the projection reads them. */
  readonly events: ReadonlyArray<E>
  /** How many there are, those that aren't given included. */
  readonly count: number
  /** Everything of the scope at or below it is in `after`, or left out as later than the time that was asked for. */
  readonly position: Position
  /** Events read from the log for it. */
  readonly replayed: number
}

/**
 * Tells two moments of a projection apart: both states, what differs and by which events. It begins with the newest
 * snapshot that holds and isn't later than `from`, and reads what follows once, in bounded memory. As of times, an
 * event lies between if its own `at` does, wherever it stands in the log.
 *
 * Fails with `Invalid` for bad options, moments of different kinds or in the wrong order, a seq the stream hasn't come
 * to, a step that throws, a state without a JSON form (give the projection a state schema), and where events are
 * truncated that no snapshot of that time stands in for; otherwise as every read.
 */
export const diff = <S, C extends Catalogue>(
  store: StoreShape,
  projection: Projection<S, C>,
  options: Scope & DiffOptions
): Effect.Effect<Diff<S, EventOf<C>>, StoreError> =>
  Effect.gen(function*() {
    const { base, most, plan } = yield* Effect.fromResult(prepare(store, options))
    const both = bothOf(projection, base.cut, most)
    const { replay } = yield* loadReplay(store, both, plan, base)
    const stream = onlyStream(plan.selection)
    if (stream !== undefined && base.cut.seq < unbounded) yield* reached(replay, [stream], base.cut.seq, "from.seq")
    const { before, count, events, parted } = replay.state
    const after = parted === undefined ? before : parted.state
    const [was, is] = yield* Effect.fromResult(Result.all([formOf(projection, before), formOf(projection, after)]))
    const { position, replayed } = replay
    return { before, after, patch: patchOf(was, is), events, count, position, replayed }
  })

interface Prepared {
  /** How far the state before goes. */
  readonly base: Plan
  /** How far the state after goes. */
  readonly plan: Plan
  readonly most: number
}

const prepare = (store: StoreShape, options: Scope & DiffOptions): Result.Result<Prepared, Fault.Fault> => {
  const fault = Fault.optionsFault(options, [...scopeKeys, "from", "to", "events", "atLeast", "allowTruncated"]) ??
    (options?.from === undefined ? noFrom : undefined) ??
    (options.events === undefined || Fault.isCounter(options.events) ? undefined : noCount)
  if (fault !== undefined) return Result.fail(fault)
  const { events: most = 100, from, to, ...others } = options
  return Result.flatMap(
    planOf(store.engine, { ...others, asOf: from }, [], "from"),
    (base) =>
      Result.flatMap(
        planOf(store.engine, { ...others, atLeast: base.reading.atLeast, asOf: to }, [], "to"),
        (plan) => {
          const wrong = to === undefined ? undefined : orderFault(from, to)
          return wrong === undefined ? Result.succeed({ base, plan, most }) : Result.fail(wrong)
        }
      )
  )
}

const noFrom = new Invalid({
  field: "from",
  reason: "is missing",
  remedy: "pass { seq }, { position } or { at }, such as { position: 0 } for the beginning"
})

const noCount = new Invalid({
  field: "events",
  reason: "is no whole number from 0",
  remedy: "pass how many events are to be given"
})

const orderFault = (from: AsOf, to: AsOf): Invalid | undefined => {
  const [[kind, earlier] = [], [other, later] = []] = [Object.entries(from)[0], Object.entries(to)[0]]
  if (kind !== other) {
    const remedy = "pass two seqs, two positions or two times"
    return new Invalid({ field: "to", reason: `is a moment of another kind than from, ${kind}`, remedy })
  }
  return Number(earlier) <= Number(later)
    ? undefined
    : new Invalid({ field: "to", reason: "is earlier than from", remedy: "pass the earlier moment as from" })
}

/** A state as of the earlier moment and, once they part, as of the later one. */
interface Both<S, E> {
  before: S
  parted: { state: S } | undefined
  count: number
  readonly events: Array<E>
}

// The projection over both moments at once: an event up to the earlier one is folded onto both states, a later one
// onto the state after alone.
const bothOf = <S, C extends Catalogue>(
  projection: Projection<S, C>,
  earlier: Cut,
  most: number
): Projection<Both<S, EventOf<C>>, C> => {
  const { codec, fingerprint } = projection.state
  const begin = (before: S): Both<S, EventOf<C>> => ({ before, parted: undefined, events: [], count: 0 })
  // A step may change the state that it's given.
  const copy = (state: S): S =>
    Result.getOrThrow(Result.flatMap(codec.encode("state", state), (payload) => codec.decode("state", payload)))
  return {
    ...projection,
    seed: () => begin(projection.seed()),
    step: (both, event) => {
      const later = isLater(earlier, event)
      if (later) {
        both.parted ??= { state: copy(both.before) }
        both.count++
        if (both.events.length < most) both.events.push(event)
      } else both.before = projection.step(both.before, event)
      if (both.parted !== undefined) both.parted.state = projection.step(both.parted.state, event)
      return both
    },
    state: {
      codec: {
        encode: (field, { before }) => codec.encode(field, before),
        decode: (where, payload) => Result.map(codec.decode(where, payload), begin)
      },
      fingerprint
    }
  }
}

const isLater = ({ at, position, seq }: Cut, event: Event): boolean =>
  event.position > position || event.seq > seq || event.at > at

const formOf = <S, C extends Catalogue>(
  { name, state: { codec } }: Projection<S, C>,
  state: S
): Result.Result<Json, StoreError> =>
  Result.flatMap(
    codec.encode(`state of projection ${quoted(name)}`, state),
    (payload) =>
      typeof payload === "string" ? parseJson("state", payload) : Result.succeed({ base64: Base64.encode(payload) })
  )
