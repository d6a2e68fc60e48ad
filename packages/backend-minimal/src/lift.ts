/** Six functions as a backend of reduced, declared abilities, once they have shown that they keep what they get. */
import type { Ability, BackendShape, Durability, Limits, StoreError } from "@persist/core"
import { Backend, defaultLimits, Invalid, makeSignal, Unavailable } from "@persist/core"
import { lackFault, optionsFault } from "@persist/core/fault"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import { Handle, lacks } from "./handle.ts"
import { shakeHands } from "./handshake.ts"
import { functionsFault, type SixFunctions } from "./six-functions.ts"

/** What is said of the functions, since nobody can ask them. */
export interface Config {
  /** The kind of store, as errors and `about` name it. Default `"minimal"`. */
  readonly name?: string | undefined
  /** What survives once a function that writes has answered. Default `"memory"`: nothing beyond the object. */
  readonly durability?: Durability | undefined
  /** Smaller or larger limits than the default ones. */
  readonly limits?: Partial<Limits> | undefined
}

const durabilities: ReadonlySet<unknown> = new Set<Durability>(["memory", "process", "disk", "replicated"])

/**
 * Lifts six functions into a backend. What one call of one function can do is done with every guarantee: appending one
 * event, putting or deleting one key, with whatever is expected, for one handle at a time. Everything else is declared
 * in `about.lacks` and refused: several changes at once, ids, truncation, clearing, and whatever needs a list of what
 * there is (reading all, streams, scans, changes, namespaces). A deleted key leaves a short text in its place.
 *
 * Positions rise by reservation: the store keeps, under a key of its own, up to where they are given out, so that a
 * handle that wasn't closed costs a hole of at most 1,000. A stream is read whole for each page and when it is first
 * written to. Snapshots go to the functions for snapshots.
 *
 * Opening writes and reads back through all six, leaving one event in the stream `$handshake`. Fails with `Invalid` (a
 * function that's missing, a wrong option), `Corrupt` (they don't give back what they were given), and `Unavailable`
 * (they fail, or another handle in this process has them open). Other processes must be kept out by whoever calls.
 */
export const fromSixFunctions = (
  functions: SixFunctions,
  config: Config = {}
): Effect.Effect<BackendShape, StoreError, Scope> =>
  Effect.gen(function*() {
    const fault = functionsFault(functions) ?? configFault(config)
    if (fault !== undefined) return yield* Effect.fail(fault)
    yield* Effect.acquireRelease(take(functions), () => Effect.sync(() => taken.delete(functions)))
    const state = yield* shakeHands(functions)
    const handle = new Handle(config.name ?? "minimal", functions, state)
    // A head that can't be noted leaves a hole, and nothing else.
    yield* Effect.addFinalizer(() => Effect.ignore(handle.close))
    return assemble(handle, { ...config, incarnation: state.incarnation })
  })

/** Six functions as the `Backend`; fails to build as {@link fromSixFunctions} says. */
export const layer = (functions: SixFunctions, config?: Config): Layer.Layer<Backend, StoreError> =>
  Layer.effect(Backend, fromSixFunctions(functions, config))

const assemble = (handle: Handle, config: Config & { readonly incarnation: string }): BackendShape => {
  const name = config.name ?? "minimal"
  const signal = makeSignal()
  const refuse = (ability: Ability) => () => Effect.fail(lackFault(name, ability))
  return {
    about: {
      name,
      durability: config.durability ?? "memory",
      shared: false,
      ambiguous: true,
      lacks,
      limits: { ...defaultLimits, ...config.limits },
      incarnation: config.incarnation
    },
    commit: (batch) => Effect.ensuring(handle.commit(batch), Effect.sync(signal.notify)),
    readStream: (range) => handle.readStream(range),
    get: (keys) => handle.get(keys),
    head: Effect.sync(() => handle.head),
    changes: signal.changes,
    resolve: refuse("resolve"),
    readAll: refuse("readAll"),
    streams: refuse("streams"),
    scan: refuse("scan"),
    changed: refuse("changed"),
    namespaces: refuse("namespaces")
  }
}

const configFault = (config: Config): StoreError | undefined => {
  const { durability } = config
  return optionsFault(config, ["name", "durability", "limits"]) ??
    optionsFault(config.limits, Object.keys(defaultLimits)) ??
    (durability === undefined || durabilities.has(durability) ? undefined : new Invalid({
      field: "durability",
      reason: "is no durability",
      remedy: `pass one of ${Array.from(durabilities).join(", ")}`
    }))
}

/** The functions that a handle of this process has open. */
const taken = new WeakSet<SixFunctions>()

const take = (functions: SixFunctions): Effect.Effect<void, Unavailable> =>
  Effect.suspend(() => {
    if (!taken.has(functions)) return Effect.sync(() => taken.add(functions))
    return Effect.fail(
      new Unavailable({
        operation: "open",
        reason: "another handle has these functions open",
        remedy: "share that handle, or close it first"
      })
    )
  })
