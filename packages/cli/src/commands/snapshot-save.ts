/** `persist snapshot save`: a projection's state, kept so that the next load reads less. */
import { saveSnapshot } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { parseScope, scopeFlags } from "../projection-scope.ts"
import { snapshotJson, snapshotRow } from "../snapshot-row.ts"
import { openStore } from "../store-url.ts"
import { loadProjection, moduleFlag, tellingCause } from "../user-module.ts"

const config = {
  module: moduleFlag("a projection"),
  ...scopeFlags,
  keep: Flag.Int("keep").pipe(
    Flag.withDescription("How many snapshots of it to keep; older ones are removed"),
    Flag.withDefault(2)
  )
}

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof config>) {
  const scope = yield* parseScope(options)
  const projection = yield* loadProjection(options.module)
  const store = yield* openStore("write")
  const saved = yield* tellingCause(saveSnapshot(store, projection, { ...scope, keep: options.keep }))
  const { name, version } = projection
  yield* saved === undefined
    ? writeResult({ saved: null }, [printable(`${name}@${version}: there are no events yet, nothing is saved`)])
    : writeResult({ saved: snapshotJson(saved) }, [snapshotRow(saved)])
}, Effect.scoped)

/** The command. */
export const snapshotSaveCommand = Command.make("save", config, run).pipe(
  Command.withDescription("Load a projection and save its state as a snapshot"),
  Command.withShortDescription("Save a snapshot"),
  Command.withExamples([
    { command: "persist snapshot save --module ./churn.ts", description: "Of everything" },
    { command: "persist snapshot save --module ./order.ts --stream order/1 --keep 1", description: "Of one stream" }
  ])
)
