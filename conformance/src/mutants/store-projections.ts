/** Mutants that fold wrongly, or as of another moment than they were asked. */
import type { Catalogue, Projection } from "@persist/core"
import { Position, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Core, core } from "../core.ts"
import { coreMutant, type StoreMutant } from "../store-mutant.ts"

type Options = Parameters<typeof core.project>[2]

// Projections that are asked for otherwise than they are called.
const asks = (
  name: string,
  bug: string,
  otherwise: (options: Options) => Options,
  breaks: ReadonlyArray<string>
): StoreMutant =>
  coreMutant(name, bug, {
    project: (store, projection, options) => core.project(store, projection, otherwise(options))
  }, breaks)

// Projections that fold otherwise than they were made to.
const folds = (
  name: string,
  bug: string,
  otherwise: <S, C extends Catalogue>(projection: Projection<S, C>) => Projection<S, C>,
  breaks: ReadonlyArray<string>
): StoreMutant =>
  coreMutant(name, bug, {
    project: (store, projection, options) => core.project(store, otherwise(projection), options)
  }, breaks)

// Folds one stream after the other.
const inTurn: Core["project"] = (store, projection, options) => {
  if (!("streams" in options) || options.streams.length < 2) return core.project(store, projection, options)
  const { streams, ...rest } = options
  return Effect.gen(function*() {
    let state = projection.seed()
    const whole = yield* core.project(store, projection, options)
    for (const stream of streams.toSorted()) {
      const before = state
      state = (yield* core.project(store, { ...projection, seed: () => before }, { ...rest, stream })).state
    }
    return { ...whole, state }
  })
}

/** Broken in folding. */
export const storeProjections = [
  coreMutant("miscounts", "tells of one event more than it has read", {
    project: (store, projection, options) =>
      Effect.map(core.project(store, projection, options), (found) => ({ ...found, replayed: found.replayed + 1 }))
  }, [
    "a stream's projection is the fold of its events, and tells what is in it",
    "a state loaded from a snapshot and the tail is the replay's, wherever it was saved"
  ]),

  coreMutant("stream by stream", "folds several streams one after the other", { project: inTurn }, [
    "a projection of several streams folds them in the order in which it all happened",
    "a projection longer than a page is the same fold",
    "a projection as of a position is the fold up to it, of whatever streams",
    "what was truncated is not folded over in silence",
    "a state of several streams loaded from a snapshot is the replay's"
  ]),

  folds("folds one page", "folds one page of events", (projection) => {
    let folded = 0
    return { ...projection, step: (state, event) => folded++ < 1000 ? projection.step(state, event) : state }
  }, [
    "a projection longer than a page is the same fold"
  ]),

  asks(
    "`seq` is excluded",
    "leaves out the event as of whose seq it is asked",
    (options) =>
      options.asOf !== undefined && "seq" in options.asOf
        ? { ...options, asOf: { seq: Seq(Math.max(0, options.asOf.seq - 1)) } }
        : options,
    [
      "a projection as of a seq is the fold up to it",
      "a projection's or decision's options that are wrong are refused by their name",
      "a diff has the states of both moments and the events between, through whatever snapshot"
    ]
  ),

  asks(
    "`position` is excluded",
    "leaves out the event as of whose position it is asked",
    (options) =>
      options.asOf !== undefined && "position" in options.asOf
        ? { ...options, asOf: { position: Position(Math.max(0, options.asOf.position - 1)) } }
        : options,
    [
      "a projection as of a position is the fold up to it, of whatever streams",
      "a projection as of a position that the store hasn't come to waits for it",
      "a diff has the states of both moments and the events between, through whatever snapshot"
    ]
  ),

  asks(
    "`at` is excluded",
    "leaves out what happened at the time as of which it is asked",
    (options) =>
      options.asOf !== undefined && "at" in options.asOf
        ? { ...options, asOf: { at: options.asOf.at - 1 } }
        : options,
    [
      "a projection as of a time leaves out what happened later, in whatever order it was appended",
      "a projection's or decision's options that are wrong are refused by their name",
      "a diff has the states of both moments and the events between, through whatever snapshot"
    ]
  ),

  coreMutant("doesn't wait", "answers as of what is there where it is asked as of a position to come", {
    project: (store, projection, options) =>
      Effect.flatMap(store.head, (head) => {
        const { asOf } = options
        return core.project(
          store,
          projection,
          asOf !== undefined && "position" in asOf && asOf.position > head
            ? { ...options, asOf: { position: head } }
            : options
        )
      })
  }, [
    "a projection as of a position that the store hasn't come to waits for it"
  ]),

  folds("one seed for all", "begins every replay with the same seed", (projection) => ({
    ...projection,
    seed: () => {
      if (!seeds.has(projection)) seeds.set(projection, projection.seed())
      return seeds.get(projection) as ReturnType<typeof projection.seed> // What is there was made by this seed.
    }
  }), [
    "every replay begins with a seed of its own",
    "a diff has the states of both moments and the events between, through whatever snapshot"
  ]),

  folds("reads what it can", "leaves out events that it can't decode", (projection) => ({
    ...projection,
    events: {
      ...projection.events,
      decode: (event) => Result.orElse(projection.events.decode(event), () => Result.succeed(undefined))
    }
  }), [
    "a projection reads the types of its catalogue, and treats others as that says"
  ]),

  folds("never throws", "leaves the state as it was where the step throws", (projection) => ({
    ...projection,
    step: (state, event) => Result.getOrElse(Result.try(() => projection.step(state, event)), () => state)
  }), [
    "a step that throws, or waits, is Invalid, and its projection's name and the event are told"
  ]),

  coreMutant("over the holes", "folds what is left of streams that were truncated, as if it were all", {
    project: (store, projection, options) => core.project(store, projection, { ...options, allowTruncated: true }),
    load: (store, projection, options) => core.load(store, projection, { ...options, allowTruncated: true })
  }, [
    "what was truncated is not folded over in silence",
    "a projection without a snapshot is refused after a compaction, and not answered from the rest",
    "a state of several streams is not answered over what a compaction took since its snapshot",
    "every option of a replay and of a load makes a difference"
  ]),

  coreMutant("takes any way to project", "leaves out what it doesn't know of the options of a projection", {
    project: (store, projection, options) => {
      const known = new Set(["stream", "streams", "prefix", "all", "asOf", "allowTruncated", "atLeast"])
      const kept = Object.fromEntries(Object.entries(options).filter(([key]) => known.has(key)))
      return core.project(store, projection, kept as typeof options) // Nothing but strangers were taken out.
    }
  }, [
    "a projection's or decision's options that are wrong are refused by their name"
  ])
]

const seeds = new WeakMap<object, unknown>()
