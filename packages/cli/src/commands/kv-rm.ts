/** `persist kv rm`: a key's end. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { parseExpectedKey } from "../argument-text.ts"
import { entryJson } from "../entry-json.ts"
import { lostRace } from "../failure.ts"
import { writeResult } from "../output.ts"
import { printable } from "../printable.ts"
import { openStore } from "../store-url.ts"

const config = {
  namespace: Argument.String("namespace").pipe(Argument.withDescription("The namespace")),
  key: Argument.String("key").pipe(Argument.withDescription("The key")),
  expected: Flag.String("expected").pipe(
    Flag.withDescription("What the key must be: its revision, absent, exists, or any (the default)"),
    Flag.withMetavar("REVISION|absent|exists|any"),
    Flag.withDefault("any")
  )
}

const run = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof config>) {
  const { key, namespace } = options
  const expected = yield* parseExpectedKey(options.expected)
  const store = yield* openStore("write")
  const kv = store.kv(namespace)
  const outcome = yield* kv.delete(key, { expected })
  if (outcome._tag === "Conflict") {
    const current = yield* kv.entry(key)
    return yield* lostRace(outcome, Option.isNone(current) ? {} : { current: entryJson(namespace, current.value) })
  }
  const { revision } = outcome
  yield* writeResult({ namespace, key, revision }, [printable(`${namespace}/${key} is absent since ${revision}`)])
}, Effect.scoped)

/** The command. */
export const kvRmCommand = Command.make("rm", config, run).pipe(
  Command.withDescription("Delete a key; deleting one that isn't there changes nothing"),
  Command.withShortDescription("Delete a key"),
  Command.withExamples([
    { command: "persist kv rm settings theme", description: "Whatever it holds" },
    { command: "persist kv rm settings theme --expected 42", description: "Only if nobody wrote it since revision 42" }
  ])
)
