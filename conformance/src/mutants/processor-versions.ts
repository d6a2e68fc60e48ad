/** Mutants of versions: read too early or never, dropped too early or never. */
import { liveVersions } from "@persist/core/live"
import type { Processor } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { processing } from "../processing.ts"
import { processorMutant } from "../processor-mutant.ts"

const alarmless = <P extends Processor>(right: P): P => ({
  ...right,
  assign: (store, partition) =>
    Effect.map(right.assign(store, partition), ({ source, work: { handle, keysOf } }) => ({
      source,
      work: { handle, keysOf }
    }))
})

/** Broken in how versions come and go. */
export const processorVersions = [
  processorMutant("live at once", "makes a version live when it begins to be built", {
    readModel: (model, options) => {
      const right = processing.readModel(model, options)
      return {
        ...right,
        assign: (store, partition) =>
          Effect.flatMap(liveVersions(store).entry(model.name), (found) =>
            Effect.andThen(
              Option.isSome(found) && found.value.value.version < model.version
                ? liveVersions(store).put(model.name, { ...found.value.value, version: model.version })
                : Effect.void,
              right.assign(store, partition)
            ))
      }
    }
  }, [
    "a new version of a read model is read once it has come as far as the one that was, never before"
  ]),

  processorMutant("never live", "builds new versions and leaves them there", {
    readModel: (model, options) => alarmless(processing.readModel(model, options))
  }, [
    "a new version of a read model is read once it has come as far as the one that was, never before",
    "the version that was live before is dropped after its grace period, once nobody runs it, and not before",
    "the version that was live before stays for its grace period, though nobody runs it"
  ]),

  processorMutant("drops at once", "drops a version as soon as another is live and nobody runs it", {
    readModel: (model, options) => processing.readModel(model, { ...options, grace: 0 })
  }, [
    "the version that was live before stays for its grace period, though nobody runs it"
  ]),

  processorMutant("keeps them all", "never drops a version", {
    readModel: (model, options) => processing.readModel(model, { ...options, grace: Number.MAX_SAFE_INTEGER })
  }, [
    "the version that was live before is dropped after its grace period, once nobody runs it, and not before"
  ])
]
