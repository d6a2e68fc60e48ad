/** Checks for users' own projections, deciders and read models: pure, and the same answer however they are cut. */
import {
  type Catalogue,
  type Codec,
  type Decider,
  type Event,
  type EventOf,
  fold,
  guardPurity,
  Invalid,
  Position,
  Projection,
  type PureSchema,
  type ReadModel,
  Seq
} from "@persist/core"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as fc from "fast-check"

/** How hard to look, and what to look at again. */
export interface CheckOptions {
  /** How many random histories; 100 by default. */
  readonly runs?: number
  /** Most events of a history; 20 by default. */
  readonly events?: number
  /** Most streams of a history; 3 by default, and 1 for a decider, which decides on one. */
  readonly streams?: number
  /** The data of types whose schemas can't be turned into values, or only into too few, by type. */
  readonly data?: Readonly<Record<string, fc.Arbitrary<unknown>>>
  /** The seed and path that a failure printed: the same histories again. */
  readonly seed?: number
  readonly path?: string
}

/**
 * Values of a schema, the same for the same seed; lists of them shrink well, the values themselves by size. Throws
 * `Invalid`, naming `field`, for a schema that values can't be made of, or only by chance.
 */
export const valuesOf = <A>(schema: PureSchema<A>, field = "schema"): fc.Arbitrary<A> => {
  const arbitrary = Result.getOrThrow(Result.try({
    try: () => Arbitrary.schema(schema),
    catch: (cause) => noValues(field, "no values can be made of this schema", cause)
  }))
  return fc.tuple(fc.nat({ max: 20 }), fc.integer()).map(([size, seed]) => {
    const sampled = Effect.runSync(Effect.result(Arbitrary.sampleEffect(arbitrary, { count: 1, size, seed })))
    if (Result.isFailure(sampled)) {
      throw noValues(field, "too few values pass the checks of this schema", sampled.failure)
    }
    const [value] = sampled.success
    return value as A // one was asked for
  })
}

const noValues = (field: string, reason: string, cause: unknown): Invalid =>
  new Invalid({ field, reason, remedy: "pass an arbitrary for them, as the option data does by event type", cause })

/**
 * Histories of one stream or several, of the types and with the data that a catalogue's schemas allow, in the total
 * order, as a projection meets them. Throws `Invalid` for a catalogue without types, which says nothing of the data.
 */
export const eventsOf = <C extends Catalogue>(
  catalogue: C,
  { data = {}, events = 20, streams = 3 }: CheckOptions = {}
): fc.Arbitrary<ReadonlyArray<EventOf<C>>> => {
  if (catalogue.types.length === 0) {
    throw new Invalid({
      field: "events",
      reason: "the catalogue names no types, so nothing is known of their data",
      remedy: "give the projection a catalogue made with Catalogue.make"
    })
  }
  // Every type of a catalogue has its current schema, whose type is lost among all of them.
  const schemas: ReadonlyArray<readonly [string, PureSchema]> = Object.entries(catalogue.schemas)
  const one = fc.oneof(
    ...schemas.map(([type, schema]) =>
      fc.record({
        stream: fc.nat(streams - 1),
        type: fc.constant(type),
        data: data[type] ?? valuesOf(schema, `events.${type}`),
        later: fc.nat(100_000)
      })
    )
  )
  return fc.array(one, { maxLength: events }).map((list) => {
    let at = 1_700_000_000_000
    const lengths = new Map<number, number>()
    const history = list.map(({ data: given, later, stream, type }, i): Event => {
      at += later
      const seq = Seq((lengths.get(stream) ?? 0) + 1)
      lengths.set(stream, seq)
      const position = Position(i + 1)
      return { stream: `checked ${stream + 1}`, seq, position, type, at, data: given, meta: undefined, id: undefined }
    })
    // The catalogue's own types with data by its own schemas are its events.
    return history as unknown as ReadonlyArray<EventOf<C>>
  })
}

/**
 * Checks that a projection is what it must be: replayed twice it gives the same, in chunks the same as at once, and at
 * every split the same from a snapshot and the tail; its step sees no clock and no randomness and changes nothing in
 * place. Throws with the smallest history that shows otherwise, and the seed and path that bring it back.
 */
export const checkProjection = <S, C extends Catalogue>(
  projection: Projection<S, C>,
  options: CheckOptions = {}
): void => {
  const pure = guardPurity(projection)
  check(fc.tuple(eventsOf(projection.events, options), fc.array(fc.nat(), { maxLength: 4 })), ([events, cuts]) => {
    const whole = fold(pure, events)
    same("a second replay", whole, fold(pure, events))
    const chunks = cutAt(events, cuts)
    same("a fold in chunks", whole, chunks.reduce((state, chunk) => fold(pure, chunk, { state }), pure.seed()))
    for (let split = 0; split <= events.length; split++) {
      const state = kept(projection.state.codec, fold(pure, events.slice(0, split)))
      same(`the snapshot after ${split} events and its tail`, whole, fold(pure, events.slice(split), { state }))
    }
  }, options)
}

/**
 * Checks that a decider is what it must be: on any state its events can lead to it decides the same twice, also from a
 * snapshot of that state, throws nothing, sees no clock and no randomness, changes nothing in place, and decides only
 * on events its catalogue takes. Throws as {@link checkProjection} does, which should hold for its projection first.
 */
export const checkDecider = <S, C extends Catalogue, Command, E>(
  { decide, projection }: Decider<S, C, Command, E>,
  commands: PureSchema<Command> | fc.Arbitrary<Command>,
  options: CheckOptions = {}
): void => {
  const asked = commands instanceof fc.Arbitrary ? commands : valuesOf(commands)
  check(fc.tuple(eventsOf(projection.events, { streams: 1, ...options }), asked), ([events, command]) => {
    const state = fold(projection, events)
    const decided = guarded(projection, events, () => decide(state, command))
    same("deciding again", decided, decide(fold(projection, events), command))
    same("deciding on a snapshot", decided, decide(kept(projection.state.codec, state), command))
    const inputs = Result.isResult(decided) ? Result.getOrElse(decided, () => []) : decided
    inputs.forEach((input, i) => Result.getOrThrow(projection.events.encode(`decided[${i}]`, input)))
  }, options)
}

/**
 * Checks that a read model is what it must be: built in chunks, its states stored and read back between them as a crash
 * would have it, it is the same as built at once; its keys and its step see no clock and no randomness and change
 * nothing in place. Throws as {@link checkProjection}.
 */
export const checkReadModel = <C extends Catalogue, A>(given: ReadModel<C, A>, options: CheckOptions = {}): void => {
  const model = pureModel(given)
  check(fc.tuple(eventsOf(model.events, options), fc.array(fc.nat(), { maxLength: 4 })), ([events, cuts]) => {
    const whole = buildReadModel(model, events, new Map())
    same("building it again", whole, buildReadModel(model, events, new Map()))
    const stored = (states: ReadonlyMap<string, A>) =>
      new Map(Array.from(states, ([key, a]) => [key, kept(model.codec, a)]))
    const inChunks = cutAt(events, cuts).reduce(
      (states, chunk) => buildReadModel(model, chunk, stored(states)),
      new Map<string, A>()
    )
    same("building it in chunks", whole, inChunks)
  }, options)
}

// The guard is one for steps, so a read model's keys and step are watched as the steps of a projection.
const pureModel = <C extends Catalogue, A>(model: ReadModel<C, A>): ReadModel<C, A> => {
  const watched = <Given, Made>(act: (given: Given, event: EventOf<C>) => Made) => {
    const step = (given: Given | Made, event: EventOf<C>): Given | Made => act(given as Given, event) // as it's called
    const { step: pure } = guardPurity(
      Projection.make<Given | Made, C>({ name: model.name, version: 1, events: model.events, seed: noSeed, step })
    )
    return (given: Given, event: EventOf<C>) => pure(given, event) as Made // what `act` gave
  }
  const keys = watched((_: undefined, event) => model.keys(event))
  const step = watched(({ key, state }: { readonly key: string; readonly state: A }, event) =>
    model.step(state, event, key)
  )
  return { ...model, keys: (event) => keys(undefined, event), step: (state, event, key) => step({ key, state }, event) }
}

const noSeed = (): never => {
  throw new Error("nothing is folded from the start")
}

/** Folds events into the states of a read model by key, as keeping it in a store does, and gives the same map. */
export const buildReadModel = <C extends Catalogue, A>(
  model: ReadModel<C, A>,
  events: ReadonlyArray<EventOf<C>>,
  states: Map<string, A>
): Map<string, A> => {
  for (const event of events) {
    const keys = model.keys(event)
    for (const key of typeof keys === "string" ? [keys] : new Set(keys)) {
      const before = states.get(key)
      const next = model.step(before === undefined ? model.seed() : before, event, key)
      if (next === undefined) states.delete(key)
      else states.set(key, next)
    }
  }
  return states
}

// The guard traps what a step does; so whatever else is to be watched is done as one.
const guarded = <S, C extends Catalogue, A>(
  projection: Projection<S, C>,
  [event]: ReadonlyArray<EventOf<C>>,
  act: () => A
): A => {
  if (event === undefined) return act()
  const made: Array<A> = []
  guardPurity({
    ...projection,
    step: (state: S) => {
      made.push(act())
      return state
    }
  }).step(projection.seed(), event)
  const [first] = made
  return first as A // the step was just taken
}

const check = <T>(values: fc.Arbitrary<T>, holds: (value: T) => void, { path, runs = 100, seed }: CheckOptions): void =>
  fc.assert(fc.property(values, holds), {
    numRuns: runs,
    // The reason belongs into the message, not only into its cause.
    includeErrorInReport: true,
    ...(seed === undefined ? {} : { seed }),
    ...(path === undefined ? {} : { path })
  })

const cutAt = <A>(items: ReadonlyArray<A>, cuts: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<A>> => {
  const places = [...new Set(cuts.map((cut) => cut % (items.length + 1)))].sort((a, b) => a - b)
  return [0, ...places].map((from, i) => items.slice(from, places[i] ?? items.length))
}

// Through the form it is stored in, as a restart does.
const kept = <A>(codec: Codec<A>, value: A): A =>
  Result.getOrThrow(Result.flatMap(codec.encode("state", value), (payload) => codec.decode("state", payload)))

const same = (what: string, expected: unknown, actual: unknown): void => {
  if (Equal.equals(expected, actual)) return
  throw new Error(`${what} gives ${show(actual)}, and not ${show(expected)}`)
}

const show = (value: unknown): string => {
  const text = JSON.stringify(value instanceof Map ? [...value] : value)
  return text === undefined ? String(value) : text
}
