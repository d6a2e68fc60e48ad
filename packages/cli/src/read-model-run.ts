/** Keeps a read model that a module exports: catches up, and goes on with what comes. */
import { catchUp, type Fenced, runReadModel, type StoreError, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { exitCode } from "./exit-code.ts"
import { Failure, type OutputClosed } from "./failure.ts"
import { say, writeResult } from "./output.ts"
import { counted, lasting, printable } from "./printable.ts"
import { type AnyReadModel, tellingCause } from "./user-module.ts"

/** How a read model is kept. */
export interface KeepOptions {
  /** Only up to the head as it is now. */
  readonly once: boolean
  /** Builds from what is left of streams whose first events were removed. */
  readonly allowTruncated: boolean
}

/** Brings a read model to the head, tells so, and follows unless `once`. `Failure` where another run got further. */
export const keepReadModel = Effect.fnUntraced(function*(
  store: StoreShape,
  model: AnyReadModel,
  { allowTruncated, once }: KeepOptions
) {
  const started = performance.now()
  const reached = yield* tellingCause(catchUp(store, model, { allowTruncated }))
  if (reached._tag === "Fenced") return yield* fenced(reached)
  const { events, position, writes } = reached
  const milliseconds = Math.round(performance.now() - started)
  const keys = yield* model.kv(store).count()
  yield* writeResult(
    {
      readModel: model.name,
      version: model.version,
      namespace: model.namespace,
      events,
      writes,
      keys,
      position,
      milliseconds
    },
    [
      printable(
        `${model.namespace}: ${counted(events, "event")} took effect in ${lasting(milliseconds)}, ` +
          `${counted(keys, "key")}, as of position ${position}`
      )
    ]
  )
  if (once) return
  yield* say("following; Ctrl-C ends it, and it goes on from there next time")
  return yield* fenced(yield* tellingCause(runReadModel(store, model)))
}) satisfies (
  store: StoreShape,
  model: AnyReadModel,
  options: KeepOptions
) => Effect.Effect<void, StoreError | Failure | OutputClosed, unknown>

/** The failure of a run that another one under the same name has overtaken. */
export const fenced = ({ name, position }: Fenced): Failure =>
  new Failure({
    exitCode: exitCode.conflict,
    field: "name",
    reason: `somebody else runs ${JSON.stringify(name)} and got further than position ${position}`,
    remedy: "let them, or run this under another name",
    details: { tag: "Fenced", name, position }
  })
