/** Deciders: load a stream's state, decide on a command, append what was decided; over again if somebody was faster. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Catalogue, InputOf } from "./catalogue.ts"
import type { Appended, CommitId, Committed, Conflict } from "./commit.ts"
import { Invalid, type StoreError } from "./error.ts"
import type { EventInput, Meta } from "./event.ts"
import * as Fault from "./fault.ts"
import { type Found, loadReplay, saveWhenDue } from "./load.ts"
import { quoted } from "./path.ts"
import { run } from "./project.ts"
import { Projection } from "./projection.ts"
import { type Plan, planOf } from "./scope.ts"
import type { Position, Seq } from "./sequence.ts"
import type { SnapshotPolicy } from "./snapshot-policy.ts"
import type { StoreShape } from "./store.ts"
import type { CommitOptions } from "./write.ts"

/** What may be decided: events to append (none: nothing is to change), or a failure of the caller's own. */
export type Decision<I, E> = ReadonlyArray<I> | Result.Result<ReadonlyArray<I>, E>

/** What decisions of one kind can fail with. */
export type FailureOf<R> = R extends Result.Result<unknown, infer E> ? E : never

/** A pure decision on the state of one stream: from what is known and what is asked for to what happens. */
export interface Decider<S, C extends Catalogue, Command, E> {
  readonly "~persist/Decider": "decider"
  readonly name: string
  /** What the state is made by. */
  readonly projection: Projection<S, C>
  /** Pure: it may be asked several times before its events are appended. */
  readonly decide: (state: S, command: Command) => Decision<InputOf<C>, E>
}

/**
 * What decides. (The condition is always true, as in `StepOf`; and naming the events beside `R` has their types checked
 * as they are written.)
 */
export type DecideOf<S, C extends Catalogue, Command, R> = [S, C] extends [unknown, unknown]
  ? (state: NoInfer<S>, command: Command) => R | ReadonlyArray<InputOf<C>>
  : never

/** What a decider is made of; the command's type and the failures follow from `decide`. */
export interface DeciderOptions<S, C extends Catalogue, Command, R> {
  readonly name: string
  readonly projection: Projection<S, C>
  readonly decide: DecideOf<S, C, Command, R>
}

/**
 * Makes deciders: `make` from a name, a projection and a decision. Definitions are code, so a wrong one throws at once:
 * `Invalid` for an empty name, what is no projection, and a decision that is no function.
 */
export const Decider = {
  make: <S, C extends Catalogue, Command, R extends Decision<InputOf<C>, unknown> = never>(
    options: DeciderOptions<S, C, Command, R>
  ): Decider<S, C, Command, FailureOf<R>> => {
    const { name, projection } = options
    const fault = Fault.optionsFault(options, ["name", "projection", "decide"]) ??
      (typeof name === "string" && name !== "" ? undefined : wrong("name", "is no name", "pass a non-empty string")) ??
      (Projection.is(projection) ? undefined : wrong("projection", "is none", "pass one made with Projection.make")) ??
      (typeof options.decide === "function"
        ? undefined
        : wrong("decide", "is no function", "pass (state, command) => events"))
    if (fault !== undefined) throw fault
    // `FailureOf` takes the failures out of `R`, so what `decide` gives is a decision with just these.
    const decide = options.decide as unknown as Decider<S, C, Command, FailureOf<R>>["decide"]
    return { "~persist/Decider": "decider", name, projection, decide }
  }
}

/** How a command is carried out. */
export interface DecideOptions extends CommitOptions {
  /** How many lost races are decided again; 3 by default. */
  readonly retries?: number | undefined
  /** Goes with each event that is appended; an event's own keys come first. */
  readonly meta?: Meta | undefined
  /** When to save a snapshot of the state that was decided on; every 1,000 events by default. */
  readonly snapshots?: SnapshotPolicy | undefined
  /** Decides on what is left of a stream whose first events were truncated or deleted. */
  readonly allowTruncated?: boolean | undefined
}

/** The command was carried out. */
export interface Decided {
  readonly _tag: "Decided"
  /** Where its events are; `undefined` where it was decided that nothing is to change. */
  readonly appended: Appended | undefined
  /** The stream's last seq after it. */
  readonly seq: Seq
  /** What a read with `atLeast` waits for to see it. */
  readonly position: Position
  /** True where the command had been carried out before under this id. */
  readonly repeated: boolean
  /** How many races were lost on the way. */
  readonly conflicts: number
}

/**
 * Carries out a command on a stream: loads its state (snapshot and tail), decides, and appends the events if the stream
 * is still as it was loaded. Where somebody was faster, what they appended is folded in and decided on anew, `retries`
 * times at most; the last conflict is then the answer, and nothing happened. No events: nothing is committed. With an
 * `id` the command is carried out once: repeated, it answers its first result; one that decided nothing leaves no trace
 * and is decided again. Fails with the decider's own failures, untouched; with `Invalid` for bad options, an id used
 * for something else, a decision that throws or isn't one; otherwise as `load` and every append.
 */
export const decide = <S, C extends Catalogue, Command, E>(
  store: StoreShape,
  decider: Decider<S, C, Command, E>,
  stream: string,
  command: Command,
  options: DecideOptions = {}
): Effect.Effect<Decided | Conflict, StoreError | E> =>
  Effect.gen(function*() {
    const { at, id, meta, retries = 3, snapshots } = options
    const fault = Fault.optionsFault(options, ["retries", "id", "at", "meta", "snapshots", "allowTruncated"]) ??
      Fault.counterFault("retries", retries)
    if (fault !== undefined) return yield* Effect.fail(fault)
    const plan = yield* Effect.fromResult(planOf(store.engine, { stream, allowTruncated: options.allowTruncated }))
    const log = store.log(decider.projection.events)
    let found = yield* loadReplay(store, decider.projection, plan)
    for (let conflicts = 0;; conflicts++) {
      // The state is older than this answer, so a command that isn't found here isn't in the state either.
      const before = id === undefined ? undefined : yield* carriedOut(store, stream, id)
      if (before !== undefined) return { ...before, conflicts }
      const decided = yield* Effect.fromResult(decideOn(decider, found.replay.state, command))
      const events = yield* Effect.fromResult(decided)
      const seq = found.replay.seq(stream)
      if (events.length === 0) {
        yield* saveWhenDue(store, found, plan, snapshots)
        const { position } = found.replay
        return { _tag: "Decided", appended: undefined, seq, position, repeated: false, conflicts }
      }
      const outcome = yield* log.append(stream, withMeta(events, meta), { expected: seq, id, at }).pipe(
        Effect.map((appended) => appended._tag === "Conflict" ? appended : decidedOf(stream, appended)),
        Effect.catchIf(isReused, (error) =>
          Effect.flatMap(
            id === undefined ? Effect.undefined : carriedOut(store, stream, id),
            (done) => done === undefined ? Effect.fail(error) : Effect.succeed(done)
          ))
      )
      if (outcome._tag === "Decided") {
        yield* saveWhenDue(store, found, plan, snapshots)
        return { ...outcome, conflicts }
      }
      if (conflicts === retries) return outcome
      found = yield* caughtUp(store, found, plan)
    }
  })

/** Folds what is missing; where that was truncated meanwhile, there is a snapshot of it to begin with. */
const caughtUp = <S, C extends Catalogue>(
  store: StoreShape,
  found: Found<S, C>,
  plan: Plan
): Effect.Effect<Found<S, C>, StoreError> =>
  Effect.flatMap(
    run(store, found.replay, plan),
    (trouble) => trouble === undefined ? Effect.succeed(found) : loadReplay(store, found.replay.projection, plan)
  )

/**
 * Asks a decider once: what it decides on a state, or its own failure. `Invalid` for a decision that throws, or that
 * is neither an array nor a `Result`.
 */
export const decideOn = <S, C extends Catalogue, Command, E>(
  { decide: ask, name }: Decider<S, C, Command, E>,
  state: S,
  command: Command
): Result.Result<Result.Result<ReadonlyArray<InputOf<C>>, E>, Invalid> => {
  const field = `decider ${quoted(name)}`
  const asked = Result.try({
    try: () => ask(state, command),
    catch: (cause) =>
      new Invalid({
        field,
        reason: "its decision threw",
        remedy: "give Result.fail for what is refused, and mend the rest",
        cause
      })
  })
  if (Result.isFailure(asked)) return Result.fail(asked.failure)
  const given = Result.isResult(asked.success) ? asked.success : Result.succeed(asked.success)
  if (Result.isFailure(given)) return Result.succeed(Result.fail(given.failure))
  return Array.isArray(given.success)
    ? Result.succeed(Result.succeed(given.success))
    : Result.fail(wrong(field, "gave no decision", "give an array of events, empty for none, or Result.fail"))
}

const wrong = (field: string, reason: string, remedy: string): Invalid => new Invalid({ field, reason, remedy })

const withMeta = <I>(events: ReadonlyArray<I & EventInput>, meta: Meta | undefined): ReadonlyArray<I> =>
  meta === undefined ? events : events.map((event) => ({ ...event, meta: { ...meta, ...event.meta } }))

const decidedOf = (
  stream: string,
  { position, repeated, first, last, firstPosition, lastPosition }: Appended & Pick<Committed, "position" | "repeated">
): Omit<Decided, "conflicts"> => ({
  _tag: "Decided",
  appended: { stream, first, last, firstPosition, lastPosition },
  seq: last,
  position,
  repeated
})

const isReused = (error: StoreError): error is Invalid => error._tag === "Invalid" && error.field === "id"

/** What became of the command with this id; `Invalid` where the id was used for anything but this stream. */
const carriedOut = (
  store: StoreShape,
  stream: string,
  id: CommitId
): Effect.Effect<Omit<Decided, "conflicts"> | undefined, StoreError> =>
  Effect.flatMap(store.resolve(id), (found) => {
    if (Option.isNone(found)) return Effect.undefined
    const { appended: [only, ...others], position } = found.value
    if (only === undefined || others.length > 0 || only.stream !== stream) {
      const reason = `the commit id ${quoted(id)} was used before for something else`
      return Effect.fail(wrong("id", reason, "use a new id for a new command"))
    }
    return Effect.succeed(decidedOf(stream, { ...only, position, repeated: true }))
  })
