/** `persist conformance`: whether a kind of store obeys the laws. */
import type { Fixture } from "@persist/conformance"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { fixtureOf } from "../conformance-store.ts"
import { exitCode } from "../exit-code.ts"
import { Failure, misuse } from "../failure.ts"
import { Json, write } from "../output.ts"
import { counted } from "../printable.ts"
import { startProgress } from "../progress.ts"
import { storeUrl } from "../store-url.ts"
import { loadDefault, moduleFlag } from "../user-module.ts"

const config = {
  url: Argument.String("url").pipe(
    Argument.withDescription("The kind of store: memory:, sqlite: or file: with its parameters; --store otherwise"),
    Argument.optional
  ),
  module: moduleFlag("a fixture of your own kind of store").pipe(Flag.optional)
}

const run = Effect.fnUntraced(function*({ module, url }: Command.Command.Config.Infer<typeof config>) {
  if (Option.isSome(module) && Option.isSome(url)) {
    return yield* misuse("url", "is given beside --module", "give one of the two")
  }
  // Loaded only here: it brings everything that the laws are checked with.
  const kit = yield* Effect.promise(() => import("@persist/conformance"))
  const fixture: Fixture = Option.isSome(module)
    ? yield* loadFixture(module.value, kit.isFixture)
    : yield* fixtureOf(Option.isSome(url) ? url.value : yield* storeUrl)
  const json = yield* Json
  const { laws } = kit
  const whole = { amount: laws.length, text: counted(laws.length, "law") }
  const progress = startProgress({ verb: "asked", noun: "law", whole, json })
  const report = yield* Effect.ensuring(
    kit.run(fixture, laws, { onAnswer: (_, done) => progress.update({ amount: done, things: done }) }),
    Effect.sync(() => progress.clear())
  )
  yield* write(`${json ? kit.json([report]) : kit.table([report])}\n`)
  const broken = report.total - report.passed
  if (broken > 0) {
    return yield* new Failure({
      exitCode: exitCode.failed,
      field: fixture.name,
      reason: `it breaks ${counted(broken, "law")} of ${report.total}`,
      remedy: "see the reasons above",
      details: { tag: "Broken", passed: report.passed, total: report.total }
    })
  }
}, Effect.scoped)

const loadFixture = (file: string, isFixture: (u: unknown) => u is Fixture): Effect.Effect<Fixture, Failure> =>
  Effect.flatMap(loadDefault(file), (exported) =>
    isFixture(exported)
      ? Effect.succeed(exported)
      : Effect.fail(
        misuse("--module", `the default export of ${file} is no fixture`, "export default { name, place }")
      ))

/** The command. */
export const conformanceCommand = Command.make("conformance", config, run).pipe(
  Command.withDescription(
    "Ask a kind of store whether it obeys every law, and print the scoreboard. The laws are asked of new, empty " +
      "stores in temporary places; the store that the URL names is never touched. Ends with exit code 1 " +
      "where a law is broken."
  ),
  Command.withShortDescription("Ask a kind of store whether it obeys the laws"),
  Command.withExamples([
    { command: "persist conformance sqlite:", description: "The SQLite backend on this machine" },
    { command: "persist conformance --module ./my-store.ts --json", description: "Your own backend, as JSON" }
  ])
)
