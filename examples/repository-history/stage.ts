/** Where the tour takes place: an empty directory and the processes in it, all gone when it ends, however it ends. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { line, restore } from "./display.ts"

const program = fileURLToPath(new URL("../../packages/cli/src/bin.ts", import.meta.url))
const outside = process.cwd()
const directory = mkdtempSync(join(tmpdir(), "persist-tour-"))
process.chdir(directory)

const running = new Set<ChildProcess>()

process.once("exit", () => {
  restore()
  for (const child of running) child.kill("SIGKILL")
  // No directory can be removed from within on some systems.
  process.chdir(outside)
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
})
for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  // Every time: whoever is impatient must not end it before it has cleaned up.
  process.on(signal, () => {
    line("\nstopped, and cleaned up")
    process.exit(code)
  })
}

// Nobody is looking any more.
process.stdout.on("error", () => process.exit(1))

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process of the command-line tool. */
export interface Running {
  readonly pid: number | undefined
  readonly ended: Promise<Ended>
  /** Kills it as a power cut would: at once, and without a word. */
  readonly kill: () => void
}

/** Runs `persist` with these arguments, in a process of its own. */
export const persist = (...args: ReadonlyArray<string>): Running => {
  const child = spawn(process.execPath, ["--conditions=source", program, ...args], {
    stdio: ["ignore", "pipe", "pipe"]
  })
  running.add(child)
  const ended = new Promise<Ended>((resolve, reject) => {
    let [stdout, stderr] = ["", ""]
    child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text)
    child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text)
    child.once("error", reject)
    child.once("close", (code, signal) => {
      running.delete(child)
      resolve({ code, signal, stdout, stderr })
    })
  })
  return { pid: child.pid, ended, kill: () => child.kill("SIGKILL") }
}
