/** Runs one command line to its exit code, and tells on stderr what went wrong. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type ExitCode, exitCode } from "./exit-code.ts"
import { type Failure, misuse, OutputClosed, tell } from "./failure.ts"
import { say } from "./output.ts"
import { persist } from "./persist.ts"
import { layerTalk } from "./talk.ts"
import { version } from "./version.ts"

/** Runs `persist` with these arguments; answers the exit code. Interrupting it interrupts the command. */
export const runCommandLine = (args: ReadonlyArray<string>): Effect.Effect<ExitCode> =>
  Command.runWith(persist, { version })(args).pipe(
    Effect.as(exitCode.ok),
    Effect.catchCause((cause) =>
      // With nothing but interruptions in it there is no error in it.
      Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause as Cause.Cause<never>) : report(cause, args)
    ),
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.provideService(CliConfig.CliConfig, CliConfig.make({ builtIns })),
    Effect.provide(Layer.merge(NodeServices.layer, layerTalk))
  )

// All but the wizard: what it asks is in the help.
const builtIns = GlobalFlag.BuiltIns.filter((flag) => flag !== GlobalFlag.Wizard)

const formatter = () => CliOutput.defaultFormatter({ colors: process.stdout.isTTY && !process.env["NO_COLOR"] })

// Help that was asked for is data; help that nobody asked for is talk; faults are told by `report`.
const presenter: CliOutput.Presenter = {
  present: (event) => {
    switch (event._tag) {
      case "Help": {
        const text = formatter().formatHelpDoc(event.helpDoc)
        return event.reason === "Requested" ? Console.log(text) : Console.error(text)
      }
      case "Version":
        return Console.log(event.version)
      case "InvalidInvocation":
        return Effect.void
    }
  }
}

const report = (cause: Cause.Cause<unknown>, args: ReadonlyArray<string>): Effect.Effect<ExitCode> => {
  const error = Cause.squash(cause)
  if (error instanceof OutputClosed) return Effect.succeed(exitCode.ok)
  if (CliError.isCliError(error) && error._tag === "ShowHelp" && error.errors.length === 0) {
    return Effect.succeed(exitCode.usage)
  }
  const flags = args.slice(0, args.includes("--") ? args.indexOf("--") : args.length)
  const told = tell(CliError.isCliError(error) ? misuseOf(error) : error)
  const line = flags.includes("--json") ? JSON.stringify({ error: told.json }) : `error: ${told.text}`
  const debug = /--log-level[= ](all|trace|debug)\b/.test(flags.join(" "))
  return Effect.as(say(debug ? `${line}\n${Cause.pretty(cause)}` : line), told.exitCode)
}

/** What is wrong with a command line, the first fault of several. */
const misuseOf = (error: CliError.CliError): Failure => {
  switch (error._tag) {
    case "ShowHelp": {
      const [first] = error.errors
      const fault = first === undefined ? misuse("persist", "there is no command", "") : misuseOf(first)
      return misuse(fault.field, fault.reason, fault.remedy || `see ${error.commandPath.join(" ")} --help`)
    }
    case "UnrecognizedOption":
      return misuse(error.option, "there is no such flag", didYouMean(error.suggestions))
    case "UnknownSubcommand":
      return misuse(error.subcommand, "there is no such command", didYouMean(error.suggestions))
    case "MissingOption":
      return misuse(`--${error.option}`, "is missing", "")
    case "MissingArgument":
      return misuse(error.argument, "is missing", "")
    case "UnexpectedArgument":
      return misuse("arguments", `${error.arguments.map((each) => JSON.stringify(each)).join(", ")} is too many`, "")
    case "InvalidValue":
      return misuse(error.kind === "flag" ? `--${error.option}` : error.option, oneLine(error.expected), "")
    case "DuplicateOption":
    case "ValidationError":
    case "UserError":
      return misuse("arguments", oneLine(error.message), "")
  }
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim()

const didYouMean = (suggestions: ReadonlyArray<string>): string =>
  suggestions.length === 0 ? "" : `did you mean ${suggestions.map((each) => JSON.stringify(each)).join(" or ")}?`
