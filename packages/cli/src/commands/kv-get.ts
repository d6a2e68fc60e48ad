/** `persist kv get`: one key's value. */
import type { AnyValue, Entry } from "@persist/core"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { entryJson } from "../entry-json.ts"
import { exitCode } from "../exit-code.ts"
import { Failure, misuse } from "../failure.ts"
import { Json, write, writeBytes } from "../output.ts"
import { openStore } from "../store-url.ts"

const config = {
  namespace: Argument.String("namespace").pipe(Argument.withDescription("The namespace")),
  key: Argument.String("key").pipe(Argument.withDescription("The key")),
  revision: Flag.Boolean("revision").pipe(
    Flag.withDescription("Print its revision instead: what a compare-and-set expects"),
    Flag.withDefault(false)
  ),
  meta: Flag.Boolean("meta").pipe(Flag.withDescription("Print its metadata instead"), Flag.withDefault(false)),
  text: Flag.Boolean("text").pipe(
    Flag.withDescription("Print a text as it is, without quotes"),
    Flag.withDefault(false)
  )
}

type Options = Command.Command.Config.Infer<typeof config>

const run = Effect.fnUntraced(function*(options: Options) {
  const { key, namespace } = options
  const store = yield* openStore("read")
  const found = yield* store.kv(namespace).entry(key)
  if (Option.isNone(found)) {
    return yield* new Failure({
      exitCode: exitCode.failed,
      field: "key",
      reason: `there is no key ${JSON.stringify(key)} in namespace ${JSON.stringify(namespace)}`,
      remedy: "list the keys with persist kv ls",
      details: { tag: "Absent", namespace, key }
    })
  }
  if (yield* Json) return yield* write(`${JSON.stringify(entryJson(namespace, found.value))}\n`)
  yield* print(options, found.value)
}, Effect.scoped)

const print = ({ meta, revision, text }: Options, entry: Entry<AnyValue>) => {
  if (revision) return write(`${entry.revision}\n`)
  if (meta) return write(`${JSON.stringify(entry.meta ?? null)}\n`)
  const { value } = entry
  if (value instanceof Uint8Array) return writeBytes(value)
  if (!text) return write(`${JSON.stringify(value)}\n`)
  return typeof value === "string"
    ? write(value)
    : Effect.fail(misuse("--text", "the value is no text", "leave it out to get the value as JSON"))
}

/** The command. */
export const kvGetCommand = Command.make("get", config, run).pipe(
  Command.withDescription(
    "Print a key's value as JSON, or its bytes as they are; with --json the whole entry. A key that isn't there ends " +
      "with exit code 1."
  ),
  Command.withShortDescription("Print a key's value"),
  Command.withExamples([
    { command: "persist kv get settings theme", description: "Its value" },
    { command: "persist kv get settings theme --revision", description: "What a compare-and-set expects" }
  ])
)
