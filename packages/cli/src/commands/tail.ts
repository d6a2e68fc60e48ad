/** `persist tail`: the last events, and with `-f` those that come. */
import type { Event } from "@persist/core"
import { anyEvents, subscribePages } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { eventFilter, prefixFlag, typeFlag } from "../event-filter.ts"
import { eventJson } from "../event-line.ts"
import { eventRow } from "../event-row.ts"
import { Json, writeLines } from "../output.ts"
import { openFollowed, openStore } from "../store-url.ts"

const config = {
  follow: Flag.Boolean("follow").pipe(
    Flag.withAlias("f"),
    Flag.withDescription("Go on with what comes, until Ctrl-C"),
    Flag.withDefault(false)
  ),
  last: Flag.Int("last").pipe(
    Flag.withAlias("n"),
    Flag.withDescription("How many of the last events to begin with"),
    Flag.withDefault(10)
  ),
  prefix: prefixFlag,
  type: typeFlag
}

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof config>) {
  const json = yield* Json
  const store = yield* (options.follow ? openFollowed : openStore)("read")
  const filter = eventFilter(options)
  const show = (page: ReadonlyArray<Event<string, unknown>>) =>
    writeLines(page.map((event) => json ? JSON.stringify(eventJson(event)) : eventRow(event)))
  // Up to here the last events; what comes after it is followed, so that nothing is missing or double at the seam.
  const head = yield* store.head
  if (options.last !== 0 && head > 0) {
    const last = store.log().readAll({ ...filter, to: head, limit: options.last, reverse: true })
    yield* show((yield* Stream.runCollect(last)).reverse())
  }
  if (!options.follow) return
  yield* subscribePages(store, { ...filter, events: anyEvents, from: { position: head } }).pipe(
    Stream.runForEach(({ items }) => show(items))
  )
}, Effect.scoped)

/** The command. */
export const tailCommand = Command.make("tail", config, run).pipe(
  Command.withDescription("Show the last events of all streams, oldest first, and with -f what comes after them"),
  Command.withShortDescription("Show the last events, and follow"),
  Command.withExamples([
    { command: "persist tail -n 3", description: "The last three events" },
    { command: "persist tail -f --prefix order/ --json | jq .data", description: "Follow some streams, as JSON" }
  ])
)
