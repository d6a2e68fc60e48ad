/** `persist kv put`: a value under a key. */
import type { AnyValue } from "@persist/core"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ifGiven, parseExpectedKey, parseJsonText, parseMeta, readWhole, textOrStdin } from "../argument-text.ts"
import { entryJson } from "../entry-json.ts"
import { type Failure, lostRace, misuse } from "../failure.ts"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  namespace: Argument.String("namespace").pipe(Argument.withDescription("The namespace, made by its first key")),
  key: Argument.String("key").pipe(Argument.withDescription("The key")),
  value: Argument.String("value").pipe(
    Argument.withDescription("The value as JSON; - reads it from stdin"),
    Argument.optional
  ),
  text: Flag.Boolean("text").pipe(Flag.withDescription("The value is text, as it is"), Flag.withDefault(false)),
  bytesFile: Flag.String("bytes-file").pipe(
    Flag.withDescription("The value is the bytes of this file; - is stdin"),
    Flag.withMetavar("FILE"),
    Flag.optional
  ),
  expected: Flag.String("expected").pipe(
    Flag.withDescription("What the key must be: its revision, absent, exists, or any (the default)"),
    Flag.withMetavar("REVISION|absent|exists|any"),
    Flag.withDefault("any")
  ),
  meta: Flag.String("meta").pipe(Flag.withDescription("Metadata, a JSON object"), Flag.optional)
}

type Options = Command.Command.Config.Infer<typeof config>

const run = Effect.fnUntraced(function*(options: Options) {
  const { key, namespace } = options
  const expected = yield* parseExpectedKey(options.expected)
  const value = yield* valueOf(options)
  const meta = yield* ifGiven(options.meta, parseMeta)
  const store = yield* openStore("write")
  const kv = store.kv(namespace)
  const outcome = yield* kv.put(key, value, { expected, meta })
  if (outcome._tag === "Conflict") {
    const current = yield* kv.entry(key)
    return yield* lostRace(outcome, Option.isNone(current) ? {} : { current: entryJson(namespace, current.value) })
  }
  const { revision } = outcome
  yield* writeResult({ namespace, key, revision }, [printable(`${namespace}/${key} at revision ${revision}`)])
}, Effect.scoped)

const valueOf = ({ bytesFile, text, value }: Options): Effect.Effect<AnyValue, Failure> => {
  if (Option.isSome(bytesFile)) {
    return Option.isSome(value) || text
      ? Effect.fail(misuse("--bytes-file", "is given beside another value", "give one of the two"))
      : readWhole(bytesFile.value)
  }
  if (Option.isNone(value)) {
    return Effect.fail(misuse("value", "is missing", "give JSON, - for stdin, or --bytes-file"))
  }
  const read = textOrStdin("value", value.value)
  return text ? read : Effect.flatMap(read, (json) => parseJsonText("value", json))
}

/** The command. */
export const kvPutCommand = Command.make("put", config, run).pipe(
  Command.withDescription(
    "Put a value under a key; with --expected only if the key is as expected, and what isn't ends with exit code 3. " +
      "Prints the key's new revision."
  ),
  Command.withShortDescription("Put a value under a key"),
  Command.withExamples([
    { command: `persist kv put settings theme '"dark"'`, description: "JSON" },
    { command: "persist kv put settings theme dark --text --expected absent", description: "Text, if there is none" },
    { command: "persist kv put icons logo --bytes-file logo.png", description: "Bytes" }
  ])
)
