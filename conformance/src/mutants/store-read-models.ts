/** Mutants that take an event into a read model twice, not at all, or for another's. */
import type { Catalogue, Op, ReadModel, StoreShape } from "@persist/core"
import { Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { type Core, core } from "../core.ts"
import { coreMutant } from "../store-mutant.ts"

// Read models that are kept otherwise than they were made to be.
const keeps = (otherwise: <C extends Catalogue, A>(model: ReadModel<C, A>) => ReadModel<C, A>): Partial<Core> => ({
  catchUp: (store, model, options) => core.catchUp(store, otherwise(model), options),
  runReadModel: (store, model, options) => core.runReadModel(store, otherwise(model), options),
  rebuild: (store, model, options) => core.rebuild(store, otherwise(model), options)
})

// Read models that are kept in another store than they should be.
const within = (otherwise: (store: StoreShape) => StoreShape): Partial<Core> => ({
  catchUp: (store, model, options) => core.catchUp(otherwise(store), model, options),
  runReadModel: (store, model, options) => core.runReadModel(otherwise(store), model, options)
})

// The states first, and then how far they have come.
const apart = (store: StoreShape): StoreShape => ({
  ...store,
  commit: ([checkpoint, ...states]: ReadonlyArray<Op>, options) =>
    checkpoint === undefined || states.length === 0
      ? store.commit(checkpoint === undefined ? [] : [checkpoint], options)
      : Effect.flatMap(
        Effect.catchTag(store.commit(states, options), "Invalid", () => Effect.undefined),
        () => store.commit([checkpoint], options)
      )
})

/** Broken in read models. */
export const storeReadModels = [
  coreMutant(
    "one key an event",
    "changes the first key of an event only",
    keeps((model) => ({
      ...model,
      keys: (event) => [model.keys(event)].flat().slice(0, 1)
    })),
    [
      "a read model shows the fold of its events, key by key, and tells what it took",
      "a read model is the same in whatever pages its events come",
      "a read model that crashes at any commit takes every event into account once",
      "several who keep one read model at once take every event into account once",
      "a read model follows, and shows an event to whoever waits for it",
      "a read model that is run in two places goes on in one, and the other is fenced",
      "a read model that is rebuilt is what it was, and holds nothing else",
      "a new version of a read model is built beside the old one",
      "a read model moves on over what is none of its events",
      "a read model whose checkpoint is of another history is told so, and mended by a rebuild",
      "a read model is not begun over truncated streams unless it is told to",
      "a read model that throws keeps everything before that event, and goes on there when it is mended",
      "a read model takes no namespace that holds another's keys",
      "a strong read shows everything up to the head, however far the model is kept, and writes nothing",
      "a strong read shows no two moments, whatever is kept and appended between its reads"
    ]
  ),

  coreMutant("forgets what is stored", "begins every run with states as if there were none", {
    catchUp: (store, model, options) => {
      const known = new Map<string, typeof model.seed extends () => infer A ? A | undefined : never>()
      return core.catchUp(store, {
        ...model,
        step: (_stored, event, key) => {
          const next = model.step(known.get(key) ?? model.seed(), event, key)
          known.set(key, next)
          return next
        }
      }, options)
    }
  }, [
    "a read model is the same in whatever pages its events come",
    "a read model that crashes at any commit takes every event into account once",
    "a read model whose checkpoint is of another history is told so, and mended by a rebuild",
    "a read model that throws keeps everything before that event, and goes on there when it is mended",
    "a strong read shows everything up to the head, however far the model is kept, and writes nothing",
    "a strong read shows no two moments, whatever is kept and appended between its reads"
  ]),

  coreMutant(
    "in two commits",
    "commits the states of a page and how far it has come one after the other",
    within(apart),
    [
      "a read model that crashes at any commit takes every event into account once"
    ]
  ),

  coreMutant("never late", "waits for no read model", { waitFor: () => Effect.void }, [
    "a read model follows, and shows an event to whoever waits for it",
    "a read model that is run in two places goes on in one, and the other is fenced",
    "every option of a read model makes a difference"
  ]),

  coreMutant("to the letter", "takes a read model for behind that has only passed what isn't its own", {
    waitFor: (store, model, position, options) =>
      Effect.flatMap(
        core.waitFor(store, model, position, options),
        () =>
          Effect.flatMap(core.readCheckpoint(store, model.reader), (found) =>
            Option.isSome(found) && found.value.position >= position
              ? Effect.void
              : Effect.fail(new Unavailable({ operation: "waitFor", reason: "it's behind", remedy: "wait" })))
      )
  }, [
    "a read model moves on over what is none of its events"
  ]),

  coreMutant("patient", "waits five seconds, however long it is told to", {
    waitFor: (store, model, position) => core.waitFor(store, model, position)
  }, [
    "every option of a read model makes a difference"
  ]),

  coreMutant("keeps on", "runs on when somebody else keeps the same read model", {
    runReadModel: (store, model, options) => Effect.forever(core.runReadModel(store, model, options))
  }, [
    "a read model that is run in two places goes on in one, and the other is fenced"
  ]),

  coreMutant("nothing to rebuild", "only catches up where it should rebuild", {
    rebuild: (store, model, options) => core.catchUp(store, model, options)
  }, [
    "a read model that is rebuilt is what it was, and holds nothing else",
    "a read model whose checkpoint is of another history is told so, and mended by a rebuild",
    "the entries of an index are those of its states, after every change and a rebuild",
    "an index that a read model was not built with is refused, until a rebuild makes it"
  ]),

  coreMutant("out with the old", "clears the version before that of the model which it builds", {
    catchUp: (store, model, options) =>
      model.version === 1 ? core.catchUp(store, model, options) : Effect.andThen(
        store.kv(`${model.name}@${model.version - 1}`).clear(),
        core.catchUp(store, model, options)
      )
  }, [
    "a new version of a read model is built beside the old one"
  ]),

  coreMutant("whatever is left", "builds from what is left of truncated streams without being told to", {
    catchUp: (store, model, options) => core.catchUp(store, model, { ...options, allowTruncated: true })
  }, [
    "a read model is not begun over truncated streams unless it is told to",
    "every option of a read model makes a difference"
  ]),

  coreMutant(
    "steps over",
    "leaves a state as it was where the step throws",
    keeps((model) => ({
      ...model,
      step: (state, event, key) => Result.getOrElse(Result.try(() => model.step(state, event, key)), () => state)
    })),
    [
      "a read model that throws keeps everything before that event, and goes on there when it is mended"
    ]
  ),

  coreMutant("moves in", "clears a namespace that holds another's keys", {
    catchUp: (store, model, options) =>
      Effect.flatMap(core.readCheckpoint(store, model.reader), (found) =>
        Option.isSome(found)
          ? core.catchUp(store, model, options)
          : Effect.andThen(store.kv(model.namespace).clear(), core.catchUp(store, model, options)))
  }, [
    "a read model takes no namespace that holds another's keys"
  ]),

  coreMutant("rebuilds itself", "rebuilds a read model whose checkpoint is of another history", {
    catchUp: (store, model, options) =>
      Effect.catchTag(core.catchUp(store, model, options), "Corrupt", () => core.rebuild(store, model, options))
  }, [
    "a read model whose checkpoint is of another history is told so, and mended by a rebuild"
  ])
]
