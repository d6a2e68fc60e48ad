/** Mutants that show a read model as it never was, or not as of the head. */
import type { BackendShape, StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Core, core } from "../core.ts"
import { coreMutant } from "../store-mutant.ts"

// Strong reads of a store whose backend is read otherwise.
const reads = (otherwise: (backend: BackendShape) => Partial<BackendShape>): Partial<Core> => ({
  strong: (store, model) => {
    const backend = { ...store.engine.backend, ...otherwise(store.engine.backend) }
    const other: StoreShape = { ...store, engine: { ...store.engine, backend } }
    return core.strong(other, model)
  }
})

/** Broken in strong reads. */
export const storeStrong = [
  coreMutant(
    "key by key",
    "reads the checkpoint and the states one after the other",
    reads((backend) => ({
      get: (keys) => Effect.map(Effect.forEach(keys, (key) => backend.get([key])), (found) => found.flat())
    })),
    [
      "a strong read shows no two moments, whatever is kept and appended between its reads"
    ]
  ),

  coreMutant(
    "as far as it's kept",
    "takes what is stored for what is",
    reads(() => ({ readAll: (range) => Effect.succeed({ items: [], through: range.to }) })),
    [
      "a strong read shows everything up to the head, however far the model is kept, and writes nothing",
      "a strong read shows no two moments, whatever is kept and appended between its reads",
      "a strong query finds what a query finds once the model is there, page by page",
      "a strong read folds no longer tail than it may",
      "a strong read is refused where the model can't take an event of its keys, and there alone",
      "a strong read of another history, of other events or of truncated streams is refused"
    ]
  ),

  coreMutant("keeps it first", "brings the model to the head, and then reads it", {
    strong: (store, model) => {
      const kept = core.catchUp(store, model)
      const strong = core.strong(store, model)
      return {
        get: (key, options) => Effect.andThen(kept, strong.get(key, options)),
        getMany: (keys, options) => Effect.andThen(kept, strong.getMany(keys, options)),
        query: (asked) => Effect.andThen(kept, strong.query(asked))
      }
    }
  }, [
    "a strong read shows everything up to the head, however far the model is kept, and writes nothing",
    "a strong read folds no longer tail than it may",
    "a strong read is refused where the model can't take an event of its keys, and there alone",
    "a strong read of another history, of other events or of truncated streams is refused"
  ]),

  coreMutant("queries what's stored", "asks as of the head what the model has come to", {
    strong: (store, model) => ({
      ...core.strong(store, model),
      query: ({ allowTruncated: _, tail: _tail, ...asked } = {}) => core.query(store, model, asked)
    })
  }, [
    "a strong query finds what a query finds once the model is there, page by page",
    "a strong read folds no longer tail than it may"
  ]),

  coreMutant("however long", "folds a tail of whatever length", {
    strong: (store, model) => {
      const strong = core.strong(store, model)
      return {
        get: (key, options) => strong.get(key, { ...options, tail: 100_000 }),
        getMany: (keys, options) => strong.getMany(keys, { ...options, tail: 100_000 }),
        query: (asked) => strong.query({ ...asked, tail: 100_000 })
      }
    }
  }, [
    "a strong read folds no longer tail than it may"
  ]),

  coreMutant("steps over it", "leaves a state as it was where the step throws in a strong read", {
    strong: (store, model) =>
      core.strong(store, {
        ...model,
        step: (state, event, key) => Result.getOrElse(Result.try(() => model.step(state, event, key)), () => state)
      })
  }, [
    "a strong read is refused where the model can't take an event of its keys, and there alone"
  ]),

  coreMutant("out of what is left", "folds what is left of truncated streams without being told to", {
    strong: (store, model) => {
      const strong = core.strong(store, model)
      return { ...strong, get: (key, options) => strong.get(key, { ...options, allowTruncated: true }) }
    }
  }, [
    "a strong read of another history, of other events or of truncated streams is refused"
  ])
]
