#!/usr/bin/env node
/** The program `persist`. */
import { runMain } from "@effect/platform-node/NodeRuntime"
import * as Exit from "effect/Exit"
import { runCommandLine } from "./command-line.ts"
import { exitCode } from "./exit-code.ts"

// Failed writes are told to whoever writes; without a listener they would end the process on the spot.
process.stdout.on("error", () => undefined)
process.stderr.on("error", () => undefined)

// The first signal interrupts the command, which then says where it stopped; a second one ends everything at once.
let whenInterrupted: number = exitCode.interrupted
let interrupted = false
const onSignal = (code: number) => () => {
  if (interrupted) process.exit(code)
  interrupted = true
  whenInterrupted = code
}
process.on("SIGINT", onSignal(exitCode.interrupted))
process.on("SIGTERM", onSignal(exitCode.terminated))

runMain(runCommandLine(process.argv.slice(2)), {
  disableErrorReporting: true,
  teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? Number(exit.value) : whenInterrupted)
})
