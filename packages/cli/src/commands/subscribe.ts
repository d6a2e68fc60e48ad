/** `persist subscribe`: events from a checkpoint on, each at least once; or a read model, kept up to date. */
import type { Event, Position, StartFrom, StoreShape } from "@persist/core"
import { anyEvents, moveCheckpoint, registerReader, runSubscriptionPages } from "@persist/core"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ifGiven, parseFrom } from "../argument-text.ts"
import { eventFilter, prefixFlag, typeFlag } from "../event-filter.ts"
import { eventJson } from "../event-line.ts"
import { eventRow } from "../event-row.ts"
import { misuse } from "../failure.ts"
import { Json, say, writeLines } from "../output.ts"
import { printable } from "../printable.ts"
import { fenced, keepReadModel } from "../read-model-run.ts"
import { openFollowed, openStore } from "../store-url.ts"
import { loadReadModel, moduleFlag } from "../user-module.ts"

const config = {
  name: Flag.String("name").pipe(
    Flag.withDescription("Print events from the checkpoint of this name on, and move it"),
    Flag.optional
  ),
  module: moduleFlag("a read model, to be kept up to date").pipe(Flag.optional),
  from: Flag.String("from").pipe(
    Flag.withDescription("Where the name begins the very first time: start (the default), end, or a position"),
    Flag.withMetavar("start|end|POSITION"),
    Flag.optional
  ),
  prefix: prefixFlag,
  type: typeFlag,
  once: Flag.Boolean("once").pipe(
    Flag.withDescription("End at the store's head as it is now, instead of following"),
    Flag.withDefault(false)
  ),
  allowTruncated: Flag.Boolean("allow-truncated").pipe(
    Flag.withDescription("Build a read model from what is left where first events were removed"),
    Flag.withDefault(false)
  )
}

type Options = Command.Command.Config.Infer<typeof config>

const run = Effect.fnUntraced(function*(options: Options) {
  const { allowTruncated, module, name, once, prefix, type } = options
  const open = once ? openStore : openFollowed
  const from = yield* ifGiven(options.from, parseFrom)
  if (Option.isSome(name) === Option.isSome(module)) {
    const reason = Option.isSome(name) ? "is given beside --module" : "is missing"
    return yield* misuse("--name", reason, "give a name to print events, or a module with a read model")
  }
  if (Option.isSome(module)) {
    if (from !== undefined || Option.isSome(prefix) || type.length > 0) {
      return yield* misuse(
        "--module",
        "a read model says itself what it reads",
        "leave out --from, --prefix and --type"
      )
    }
    const model = yield* loadReadModel(module.value)
    return yield* keepReadModel(yield* open("write"), model, { once, allowTruncated })
  }
  const store = yield* open("write")
  const json = yield* Json
  const reader: Reader = { name: Option.getOrElse(name, () => ""), from: from ?? "start", ...eventFilter(options) }
  const print = (events: ReadonlyArray<Event<string, unknown>>) =>
    writeLines(events.map((event) => json ? JSON.stringify(eventJson(event)) : eventRow(event)))
  yield* once ? upToHead(store, reader, print) : follow(store, reader, print)
}, Effect.scoped)

interface Reader {
  readonly name: string
  readonly from: StartFrom
  readonly prefix: string | undefined
  readonly types: ReadonlyArray<string> | undefined
}

type Print<E> = (events: ReadonlyArray<Event<string, unknown>>) => Effect.Effect<void, E>

const follow = Effect.fnUntraced(function*<E>(store: StoreShape, reader: Reader, print: Print<E>) {
  let handled: Position | undefined
  const handle = ({ items, through }: { readonly items: Parameters<Print<E>>[0]; readonly through: Position }) =>
    Effect.andThen(
      print(items),
      Effect.sync(() => {
        handled = through
      })
    )
  const ended = yield* runSubscriptionPages(store, { ...reader, events: anyEvents, handle }).pipe(
    Effect.onInterrupt(() => handled === undefined ? Effect.void : say(whereItStopped(reader.name, handled)))
  )
  return yield* fenced(ended)
})

const whereItStopped = (name: string, position: Position): string =>
  printable(`stopped after position ${position}: the same command goes on from there (checkpoint ${name})`)

const upToHead = Effect.fnUntraced(function*<E>(store: StoreShape, { name, ...options }: Reader, print: Print<E>) {
  let checkpoint = yield* registerReader(store, name, options)
  const to = yield* store.head
  const { prefix, types } = options
  const move = Effect.fnUntraced(function*(position: Position) {
    if (position <= checkpoint.position) return
    const moved = yield* moveCheckpoint(store, checkpoint, position)
    if ("_tag" in moved) return yield* fenced(moved)
    checkpoint = moved
  })
  yield* store.log().readAll({ after: checkpoint.position, to, prefix, types }).pipe(
    // The checkpoint follows what was printed, so that nothing is left out whenever this ends.
    Stream.runForEachArray((page) => Effect.andThen(print(page), move(page.at(-1)?.position ?? checkpoint.position)))
  )
  yield* move(to)
})

/** The command. */
export const subscribeCommand = Command.make("subscribe", config, run).pipe(
  Command.withDescription(
    "With --name: print the events after a checkpoint, then those that come, and move the checkpoint behind what was " +
      "printed; whatever ends it, the next run goes on from there, and each event is printed at least once. With " +
      "--module: keep a read model, each event taking effect exactly once."
  ),
  Command.withShortDescription("Follow events from a checkpoint, or keep a read model"),
  Command.withExamples([
    { command: "persist subscribe --name mailer --type Paid --json | ./send-mails", description: "Feed a program" },
    {
      command: "persist subscribe --name nightly --once --json >> events.ndjson",
      description: "What's new since last time"
    },
    { command: "persist subscribe --module ./orders.ts", description: "Keep a read model up to date" }
  ])
)
