/** `persist renew`: another incarnation for a store that was restored or copied. */
import { listStale } from "@persist/runner"
import { commandOf } from "@persist/runner/stale"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { writeResult } from "../output.ts"
import { counted, printable } from "../printable.ts"
import { openStore, renewStore, shownUrl } from "../store-url.ts"

const run = Effect.fnUntraced(function*() {
  const incarnation = yield* renewStore
  const store = yield* openStore("read")
  const stale = (yield* listStale(store)).map(({ kind, name, needs }) => ({
    name,
    kind,
    command: commandOf(name, needs)
  }))
  const url = yield* shownUrl
  yield* writeResult(
    { store: url, backend: store.about.name, incarnation, readers: stale },
    [
      printable(`${url} begins another history: incarnation ${incarnation}`),
      ...(stale.length === 0 ? [] : [`${counted(stale.length, "reader")} can't go on until you say how:`]),
      ...stale.map(({ command, kind, name }) => printable(`  ${name}  ${kind}: ${command}`))
    ]
  )
}, Effect.scoped)

/** The command. */
export const renewCommand = Command.make("renew", {}, run).pipe(
  Command.withDescription(
    "Give a store another incarnation: after a backup was restored, and for a copy that goes its own way. Every " +
      "checkpoint saved before is then told to be of another history, so that no reader goes on in one that it never " +
      "read; events and keys stay as they are. Programs that have the store open must open it again."
  ),
  Command.withShortDescription("Begin another history after a restore"),
  Command.withExamples([
    { command: "persist renew --store sqlite:restored.db", description: "After a backup was put in its place" },
    { command: "persist renew --json", description: "Of sqlite:./persist.db, as JSON" }
  ])
)
