/** `persist project`: what a projection makes of the events, now or as of a moment in the past. */
import { load, type Loaded, SnapshotPolicy } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { timeText } from "persist/effect"
import { ifGiven } from "../argument-text.ts"
import { Json, say, write } from "../output.ts"
import { counted, lasting, printable } from "../printable.ts"
import { momentFlag, parseAsOf, parseScope, scopeFlags, scopeText } from "../projection-scope.ts"
import { stateJson } from "../state-json.ts"
import { openStore } from "../store-url.ts"
import { loadProjection, moduleFlag, tellingCause } from "../user-module.ts"

const config = {
  module: moduleFlag("a projection"),
  ...scopeFlags,
  asOf: momentFlag("as-of", "As of a moment").pipe(Flag.optional),
  allowTruncated: Flag.Boolean("allow-truncated").pipe(
    Flag.withDescription("Fold what is left of streams whose first events were removed, and accept another answer"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof config>) {
  const scope = yield* parseScope(options)
  const asOf = yield* ifGiven(options.asOf, (text) => parseAsOf("--as-of", text))
  const projection = yield* loadProjection(options.module)
  const store = yield* openStore("read")
  const started = performance.now()
  const { allowTruncated } = options
  const loaded = yield* tellingCause(
    load(store, projection, { ...scope, asOf, allowTruncated, snapshots: SnapshotPolicy.never })
  )
  const milliseconds = Math.round(performance.now() - started)
  const state = yield* stateJson(projection, loaded.state)
  const { name, version } = projection
  if (yield* Json) {
    const { position, replayed, seq } = loaded
    const from = loaded.from === undefined ? null : { seq: loaded.from.seq, position: loaded.from.position }
    const told = { projection: name, version, scope, position, seq, replayed, snapshot: from, milliseconds, state }
    return yield* write(`${JSON.stringify(told)}\n`)
  }
  yield* write(`${JSON.stringify(state, null, 2)}\n`)
  yield* say(printable(`${name}@${version} over ${scopeText(scope)}: ${howFar(loaded)} in ${lasting(milliseconds)}`))
}, Effect.scoped)

const howFar = ({ from, position, replayed }: Loaded<unknown>): string => {
  const events = `${counted(replayed, "event")} folded, up to position ${position},`
  return from === undefined
    ? events
    : `${events} on the snapshot of ${timeText(from.savedAt)} at ${
      from.seq === undefined ? `position ${from.position}` : `seq ${from.seq}`
    }`
}

/** The command. */
export const projectCommand = Command.make("project", config, run).pipe(
  Command.withDescription(
    "Fold a projection over all streams, one, or some, and print its state as JSON. The newest snapshot that holds " +
      "is gone on from; nothing is saved. With --as-of it's the state as it was then."
  ),
  Command.withShortDescription("Print what a projection makes of the events"),
  Command.withExamples([
    { command: "persist project --module ./churn.ts", description: "Over everything" },
    { command: "persist project -m ./order.ts --stream order/1 --as-of seq:2", description: "As it was at seq 2" },
    { command: "persist project -m ./sales.ts --prefix order/ --as-of 2026-01-31T00:00:00Z", description: "At a time" }
  ])
)
