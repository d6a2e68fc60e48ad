/** `persist diff`: what became of a projection's state between two moments, and by which events. */
import { diff, type PatchOperation } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ifGiven } from "../argument-text.ts"
import { eventJson } from "../event-line.ts"
import { eventRow } from "../event-row.ts"
import { Json, say, write, writeLines } from "../output.ts"
import { counted, lasting, printable } from "../printable.ts"
import { momentFlag, parseAsOf, parseScope, scopeFlags, scopeText } from "../projection-scope.ts"
import { stateJson } from "../state-json.ts"
import { openStore } from "../store-url.ts"
import { loadProjection, moduleFlag, tellingCause } from "../user-module.ts"

const config = {
  module: moduleFlag("a projection"),
  ...scopeFlags,
  from: momentFlag("from", "The earlier moment; position:0 is the beginning"),
  to: momentFlag("to", "The later moment, of the same kind; now by default").pipe(Flag.optional),
  events: Flag.Int("events").pipe(
    Flag.withDescription("Show at most so many of the events between, the first; 100 by default"),
    Flag.optional
  ),
  allowTruncated: Flag.Boolean("allow-truncated").pipe(
    Flag.withDescription("Fold what is left of streams whose first events were removed, and accept another answer"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof config>) {
  const scope = yield* parseScope(options)
  const from = yield* parseAsOf("--from", options.from)
  const to = yield* ifGiven(options.to, (text) => parseAsOf("--to", text))
  const projection = yield* loadProjection(options.module)
  const store = yield* openStore("read")
  const started = performance.now()
  const { allowTruncated } = options
  const found = yield* tellingCause(
    diff(store, projection, { ...scope, from, to, events: Option.getOrUndefined(options.events), allowTruncated })
  )
  const milliseconds = Math.round(performance.now() - started)
  const { count, events, patch, position, replayed } = found
  const { name, version } = projection
  if (yield* Json) {
    const before = yield* stateJson(projection, found.before)
    const after = yield* stateJson(projection, found.after)
    const told = { projection: name, version, scope, from, to: to ?? null, position, replayed, milliseconds }
    return yield* write(
      `${JSON.stringify({ ...told, before, after, patch, count, events: events.map(eventJson) })}\n`
    )
  }
  yield* writeLines([...patch.map(differenceLine), ...events.map(eventRow)])
  const shown = events.length < count ? `, the first ${events.length} of which are shown` : ""
  yield* say(printable(
    `${name}@${version} over ${scopeText(scope)}: ${counted(patch.length, "difference")} by ` +
      `${counted(count, "event")}${shown}; ${counted(replayed, "event")} folded in ${lasting(milliseconds)}`
  ))
}, Effect.scoped)

const differenceLine = (operation: PatchOperation): string => {
  const { path } = operation
  switch (operation.op) {
    case "add":
      return printable(`+ ${path}  ${JSON.stringify(operation.value)}`)
    case "remove":
      return printable(`- ${path}  ${JSON.stringify(operation.before)}`)
    case "replace":
      return printable(`~ ${path}  ${JSON.stringify(operation.before)} → ${JSON.stringify(operation.value)}`)
  }
}

/** The command. */
export const diffCommand = Command.make("diff", config, run).pipe(
  Command.withDescription(
    "Tell what became of a projection's state between two moments: what was added (+), removed (-) and replaced (~), " +
      "by JSON Pointer, then the events between. With --json both states and a JSON Patch (RFC 6902)."
  ),
  Command.withShortDescription("Show what events made of a projection's state"),
  Command.withExamples([
    { command: "persist diff --module ./churn.ts --from position:1200", description: "Since then" },
    { command: "persist diff -m ./order.ts --stream order/1 --from seq:1 --to seq:2", description: "By one event" },
    { command: "persist diff -m ./sales.ts --from 2026-01-01 --to 2026-02-01 --json", description: "Over a month" }
  ])
)
