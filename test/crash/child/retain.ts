/** Runs `persist retain` in this process, where its system calls are watched: `retain.ts JSON`. */
import * as Effect from "effect/Effect"
import { runCommandLine } from "../../../packages/cli/src/command-line.ts"
import { commandOf } from "./command.ts"

/** What `persist` is told. */
export interface RetainCommand {
  readonly args: ReadonlyArray<string>
}

const { args } = await commandOf<RetainCommand>()
process.exit(await Effect.runPromise(runCommandLine(args)))
