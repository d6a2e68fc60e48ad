/** `persist kv ls`: the namespaces, or the keys of one. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { entryJson, entryRow } from "../entry-json.ts"
import { limitFlag, reverseFlag } from "../event-filter.ts"
import { misuse } from "../failure.ts"
import { Json, writeLines } from "../output.ts"
import { counted, printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  namespace: Argument.String("namespace").pipe(
    Argument.withDescription("The namespace; without it the namespaces are listed"),
    Argument.optional
  ),
  prefix: Flag.String("prefix").pipe(Flag.withDescription("Only keys that start with this"), Flag.optional),
  limit: limitFlag,
  reverse: reverseFlag
}

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof config>) {
  const { limit, prefix, reverse } = options
  const json = yield* Json
  if (Option.isNone(options.namespace)) {
    if (Option.isSome(prefix) || Option.isSome(limit) || reverse) {
      return yield* misuse("namespace", "is missing", "name the one whose keys you want, or leave out the other flags")
    }
    const store = yield* openStore("read")
    return yield* Stream.runForEachArray(
      store.namespaces(),
      (page) =>
        writeLines(
          page.map(({ keys, namespace }) =>
            json ? JSON.stringify({ namespace, keys }) : printable(`${namespace}  ${counted(keys, "key")}`)
          )
        )
    )
  }
  const store = yield* openStore("read")
  const namespace = options.namespace.value
  const entries = store.kv(namespace).scan({
    prefix: Option.getOrUndefined(prefix),
    limit: Option.getOrUndefined(limit),
    reverse
  })
  yield* Stream.runForEachArray(
    entries,
    (page) => writeLines(page.map((entry) => json ? JSON.stringify(entryJson(namespace, entry)) : entryRow(entry)))
  )
}, Effect.scoped)

/** The command. */
export const kvLsCommand = Command.make("ls", config, run).pipe(
  Command.withDescription("List the namespaces, or the entries of one in the order of their keys"),
  Command.withShortDescription("List namespaces or keys"),
  Command.withExamples([
    { command: "persist kv ls", description: "The namespaces, the store's own ($…) included" },
    { command: "persist kv ls settings --prefix ui/ --limit 20", description: "Keys of one" }
  ])
)
