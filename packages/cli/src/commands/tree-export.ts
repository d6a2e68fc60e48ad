/** `persist tree export`: a store as a tree of files, once or kept up to date. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { type Exported, exportTree, followTree } from "persist/effect/tree"
import { exitCode } from "../exit-code.ts"
import { Failure } from "../failure.ts"
import { Json, say, writeLines } from "../output.ts"
import { counted, printable } from "../printable.ts"
import { openFollowed, openStore } from "../store-url.ts"

const config = {
  directory: Argument.String("directory").pipe(
    Argument.withDescription("Where to; made where it isn't there, brought up to date where it's a tree of the store")
  ),
  follow: Flag.Boolean("follow").pipe(
    Flag.withAlias("f"),
    Flag.withDescription("Go on with whatever changes, until Ctrl-C"),
    Flag.withDefault(false)
  ),
  replace: Flag.Boolean("replace").pipe(
    Flag.withDescription("Write a tree that is there anew, also one of another store; what isn't in the store goes"),
    Flag.withDefault(false)
  )
}

const run = Effect.fnUntraced(function*({ directory, follow, replace }: Command.Command.Config.Infer<typeof config>) {
  const json = yield* Json
  const store = yield* (follow ? openFollowed : openStore)("read")
  const told = (exported: Exported) => writeLines([json ? JSON.stringify(fieldsOf(exported)) : rowOf(exported)])
  if (!follow) {
    const exported = yield* Effect.onInterrupt(
      exportTree(store, directory, { replace }),
      () => say(`stopped before the end: every file is whole, and ${goOn}`)
    )
    return yield* exported._tag === "Fenced" ? overtaken(directory) : told(exported)
  }
  let last: Exported | undefined
  const onExported = (exported: Exported) => {
    last = exported
    return told(exported)
  }
  yield* followTree(store, directory, { replace, onExported }).pipe(
    Effect.onInterrupt(() =>
      last === undefined ? Effect.void : say(printable(`stopped at position ${last.position}: ${goOn}`))
    )
  )
  return yield* overtaken(directory)
}, Effect.scoped)

const goOn = "the same command goes on from there"

const fieldsOf = ({ directory, position, removed, written }: Exported) => ({ directory, position, written, removed })

const rowOf = ({ directory, position, removed, written }: Exported): string =>
  printable(`${directory} is at position ${position}: ${counted(written, "file")} written, ${removed} removed`)

const overtaken = (directory: string): Failure =>
  new Failure({
    exitCode: exitCode.conflict,
    field: "directory",
    reason: `another export to ${directory} has taken over`,
    remedy: "let it, or run this again to take it over",
    details: { tag: "Fenced" }
  })

/** The command. */
export const treeExportCommand = Command.make("export", config, run).pipe(
  Command.withDescription(
    "Write the store as a tree of files: kv/NAMESPACE/KEY.json for each value, log/STREAM.ndjson for each stream. A " +
      "tree that is there is brought up to date from where it stopped, whatever stopped it; files whose keys and " +
      "streams didn't change are left alone. Read models are left out, as they are made of the log."
  ),
  Command.withShortDescription("Write the store as a tree of files, or bring one up to date"),
  Command.withExamples([
    { command: "persist tree export state && git add state && git commit -m state", description: "Keep it in git" },
    { command: "persist tree export state --follow", description: "Keep it up to date" }
  ])
)
