/** Mutants of retention: they take too much, ask too few, or lose what they should keep. */
import type { RetainOptions, StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { core } from "../core.ts"
import { coreMutant } from "../store-mutant.ts"

const fromFront = "a rule takes from the front what any of its limits lets go, of its streams alone, and they number on"
const readers = "retention leaves every registered reader what it has yet to read"
const late = "a reader that comes while retention archives loses nothing by it"
const once = "what retention removes is in the archive, once, whatever ended a run before"
const plan = "a plan of retention changes nothing, and is what is done then"
const wrong = "a retention rule that is wrong in any part is refused by that part's name"

/** Runs with another archive, where there is one. */
const archiving = <E, R>(
  options: RetainOptions<E, R>,
  change: (archive: NonNullable<RetainOptions<E, R>["archive"]>) => RetainOptions<E, R>["archive"]
): RetainOptions<E, R> =>
  typeof options.archive?.keep === "function" ? { ...options, archive: change(options.archive) } : options

const forgetReaders = (store: StoreShape) =>
  Effect.flatMap(core.listReaders(store), (all) => Effect.forEach(all, ({ name }) => core.removeReader(store, name)))

/** Broken in retention. */
export const storeRetention = [
  coreMutant("every stream", "takes of all streams, whatever the prefix", {
    retain: (store, options) =>
      core.retain(store, typeof options.prefix === "string" ? { ...options, prefix: "" } : options)
  }, [fromFront, once, plan]),

  coreMutant("one limit", "takes a place for the only limit, where there is one", {
    retain: (store, options) =>
      core.retain(store, options?.before === undefined ? options : { ...options, maxCount: undefined })
  }, [fromFront]),

  coreMutant("asks no reader", "forgets the readers before it shortens what they read", {
    retain: (store, options) => Effect.andThen(forgetReaders(store), core.retain(store, options))
  }, [readers]),

  coreMutant("asks once", "doesn't ask the readers that come while it archives", {
    retain: (store, options) =>
      core.retain(
        store,
        archiving(options, (archive) => ({
          ...archive,
          keep: (step, events) => Effect.andThen(archive.keep(step, events), forgetReaders(store))
        }))
      )
  }, [late]),

  coreMutant("archives nothing", "removes what it hasn't handed to the archive", {
    retain: (store, options) =>
      core.retain(
        store,
        archiving(options, (archive) => ({ ...archive, keep: (step) => archive.keep(step, Stream.empty) }))
      )
  }, [once]),

  coreMutant("discards nothing", "leaves in the archive what never was removed", {
    retain: (store, options) =>
      core.retain(store, archiving(options, (archive) => ({ ...archive, discard: () => Effect.void })))
  }, [late, once]),

  coreMutant("plans by doing", "does what it should only plan", {
    planRetention: (store, rule) => Stream.tap(core.planRetention(store, rule), () => core.retain(store, rule))
  }, [readers, plan]),

  coreMutant("takes any rule", "leaves out what it doesn't know of a rule", {
    retain: (store, { archive, before, each, maxAge, maxCount, prefix }) =>
      core.retain(store, { archive, before, each, maxAge, maxCount, prefix })
  }, [wrong])
]
