/** A projection: a pure fold of events into a state, with a name and a version to keep its snapshots by. */
import * as Result from "effect/Result"
import { anyEvents, type Catalogue, type EventOf } from "./catalogue.ts"
import { type Codec, jsonCodec, type PureSchema, schemaCodec } from "./codec.ts"
import { Invalid } from "./error.ts"
import type { Event } from "./event.ts"
import * as Fault from "./fault.ts"
import { schemaFingerprint } from "./fingerprint.ts"
import { isReserved, nameFault, reservedFault } from "./name.ts"
import { quoted } from "./path.ts"
import { seedThunk } from "./seed.ts"

/** Longest name of a projection, in UTF-8 bytes: it is part of the keys its snapshots are kept under. */
const nameBytes = 256

/** How a projection's state is kept in a snapshot. */
export interface StateForm<S> {
  readonly codec: Codec<S>
  /** Changes with the schema: a snapshot of another form is ignored instead of being misread. */
  readonly fingerprint: string
}

/**
 * A pure fold: the same events give the same state, always. `step` takes a state and an event and gives the next
 * state; it sees no clock (time is `event.at`), no randomness and nothing but its arguments, and waits for nothing.
 */
export interface Projection<S, C extends Catalogue = Catalogue> {
  readonly "~persist/Projection": "projection"
  readonly name: string
  /** Raised whenever `step` or `seed` changes its meaning: snapshots of other versions are then ignored. */
  readonly version: number
  /** The state before the first event; a fresh one each time. */
  readonly seed: () => S
  readonly step: (state: S, event: EventOf<C>) => S
  /** The event types it reads. Types outside are treated as the catalogue says; `only` makes it skip them. */
  readonly events: C
  readonly state: StateForm<S>
}

/**
 * What makes the next state of a state and an event. (The condition is always true: it lets the compiler know the state
 * by the time it looks at what the step gives, so that `{ status: "paid" }` isn't taken for any string.)
 */
export type StepOf<S, C extends Catalogue> = [S, C] extends [unknown, unknown]
  ? (state: NoInfer<S>, event: EventOf<C>) => NoInfer<S>
  : never

/** The state before the first event: a value of which every replay gets its own copy, or a function that makes it. */
export type SeedOf<S> = S | (() => S)

interface CommonOptions<S, C extends Catalogue> {
  readonly name: string
  /** A whole number from 1. */
  readonly version: number
  readonly step: StepOf<S, C>
  /** The event types it reads; every type, with data as it is stored, by default. */
  readonly events?: C
}

/** What a projection is made of. The state's type follows from the seed, the event's from `events`. */
export interface ProjectionOptions<S, C extends Catalogue> extends CommonOptions<S, C> {
  readonly seed: SeedOf<S>
  readonly state?: never
}

/** The same with a schema of the state, from which the state's type follows. */
export interface SchemaProjectionOptions<S, C extends Catalogue> extends CommonOptions<S, C> {
  /** How the state is kept in snapshots. Without it a state that isn't JSON is never kept, and always replayed. */
  readonly state: PureSchema<S>
  readonly seed: [S] extends [unknown] ? SeedOf<NoInfer<S>> : never
}

const make: {
  <S, C extends Catalogue = typeof anyEvents>(options: SchemaProjectionOptions<S, C>): Projection<S, C>
  <S, C extends Catalogue = typeof anyEvents>(options: ProjectionOptions<S, C>): Projection<S, C>
} = <S, C extends Catalogue>(
  options: CommonOptions<S, C> & { readonly seed: unknown; readonly state?: PureSchema<S> }
): Projection<S, C> => {
  const { name, state, version } = options
  const seed = options.seed as SeedOf<S> // The conditions in the options' types are always true.
  const step = options.step as Projection<S, C>["step"] // as for the seed
  const events = options.events ?? anyEvents as unknown as C // Without a catalogue `C` is that of every event.
  const fault = Fault.optionsFault(options, ["name", "version", "seed", "step", "events", "state"]) ??
    nameFault("name", name, nameBytes) ?? (isReserved(name) ? reservedFault("name", name) : undefined) ??
    Fault.versionFault(version) ?? (typeof step === "function" ? undefined : noStep) ??
    (typeof events.decode === "function" ? undefined : noCatalogue)
  if (fault !== undefined) throw fault
  const fresh = Result.getOrThrow(seedThunk(seed))
  return { "~persist/Projection": "projection", name, version, seed: fresh, step, events, state: formOf(state) }
}

/**
 * Makes projections: `make` from a name, a version, a seed and a step; `is` tells one from anything else. Definitions
 * are code, so a wrong one throws at once: `Invalid` for a bad name or version, a seed that can't be copied (pass a
 * function that makes it), a step that is no function, or a state schema without a JSON form.
 */
export const Projection = {
  make,
  is: (u: unknown): u is Projection<unknown> => typeof u === "object" && u !== null && "~persist/Projection" in u
}

/**
 * Folds events onto a state: the seed, or that of `from`, such as what `project` gave. The one definition of what a
 * projection means; everything that reads from a store ends here. Throws `Invalid` where the step throws, naming the
 * event. `from` belongs to the fold from then on: a step that changes it in place changes the caller's.
 */
export const fold = <S, C extends Catalogue>(
  projection: Projection<S, C>,
  events: Iterable<EventOf<C>>,
  from?: { readonly state: S }
): S =>
  Result.getOrThrow(
    Result.flatMap(
      from === undefined ? seedResult(projection) : Result.succeed(from.state),
      (state) => foldResult(projection, events, state)
    )
  )

/** A fresh seed; `Invalid` where making it throws. */
export const seedResult = <S, C extends Catalogue>({ name, seed }: Projection<S, C>): Result.Result<S, Invalid> =>
  Result.try({
    try: seed,
    catch: (cause) =>
      new Invalid({
        field: fieldOf(name),
        reason: cause instanceof Invalid ? cause.reason : "its seed threw",
        remedy: "make the seed of constants only",
        cause
      })
  })

/** The same as a value: a failed fold gives no state at all. */
export const foldResult = <S, C extends Catalogue>(
  projection: Projection<S, C>,
  events: Iterable<EventOf<C>>,
  from: S
): Result.Result<S, Invalid> => {
  let current: Event | undefined
  const folded = Result.try({
    try: () => {
      let state = from
      for (const event of events) {
        current = event
        state = projection.step(state, event)
      }
      return state
    },
    catch: (cause) => stepFault(projection.name, current, cause)
  })
  return Result.isSuccess(folded) && folded.success instanceof Promise ? Result.fail(waits(projection.name)) : folded
}

const formOf = <S>(schema: PureSchema<S> | undefined): StateForm<S> => {
  // Without a schema the codec checks at run time what the type can't say: that the state is JSON.
  if (schema === undefined) return { codec: jsonCodec as unknown as Codec<S>, fingerprint: "json" }
  return Result.getOrThrow(Result.try({
    try: () => ({ codec: schemaCodec(schema), fingerprint: schemaFingerprint(schema) }),
    catch: (cause) =>
      new Invalid({
        field: "state",
        reason: "its schema has no JSON form",
        remedy: "use a schema of values JSON can carry",
        cause
      })
  }))
}

const fieldOf = (name: string): string => `projection ${quoted(name)}`

const stepFault = (name: string, event: Event | undefined, cause: unknown): Invalid => {
  // What the purity guard throws says already what the step did wrong; only the place is missing.
  const [what, remedy] = cause instanceof Invalid
    ? [cause.reason, cause.remedy]
    : ["its step threw", "mend the step so that it takes every event of its catalogue"]
  const where = event === undefined
    ? ""
    : ` at seq ${event.seq} of stream ${quoted(event.stream)} (position ${event.position}, type ${quoted(event.type)})`
  return new Invalid({ field: fieldOf(name), reason: what + where, remedy, cause })
}

const waits = (name: string): Invalid =>
  new Invalid({
    field: fieldOf(name),
    reason: "its step gave a promise",
    remedy: "make the step an ordinary function: what it needs to know must be on the event"
  })

const noStep = new Invalid({ field: "step", reason: "is no function", remedy: "pass (state, event) => state" })

const noCatalogue = new Invalid({
  field: "events",
  reason: "is no catalogue",
  remedy: "pass one made with Catalogue.make, or leave it out for every event"
})
