/** The program as a user meets it: started as a process, in a directory of its own, with real files. */
import type { ChildProcessByStdio } from "node:child_process"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Readable, Writable } from "node:stream"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { vi } from "vitest"
import { bundledProgram } from "./bundled.ts"

// Processes take their time on a busy machine; this is a guard, and no part of any test.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 })

/** The project's directory. */
export const root = fileURLToPath(new URL("../..", import.meta.url))

/** The repository's history: 38,945 events, packed. */
export const history = join(root, "examples/data/repository-history.ndjson.gz")

const bundled = [await bundledProgram()]
const fromSource = ["--conditions=source", join(root, "packages/cli/src/bin.ts")]

/** What Node is started with for a run of the program: a module of the user's has to find the core the program has. */
export const programFor = (args: ReadonlyArray<string>): ReadonlyArray<string> =>
  args.some((arg) => arg.endsWith(".ts")) ? fromSource : bundled

/** Where Node keeps what it compiled, for `NODE_COMPILE_CACHE`: so many runs of the same files needn't do it again. */
export const compiled = join(root, ".cache/node")

/** How a run ended, and what it wrote. */
export interface Ran {
  /** `null` where a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A run that goes on. */
export interface Running {
  readonly process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly ended: Promise<Ran>
}

/** An empty directory to run in, gone with its scope. */
export interface Desk extends Disposable {
  readonly directory: string
  readonly path: (name: string) => string
  /** Starts the program with `sqlite:app.db` in this directory as its store, unless the arguments say otherwise. */
  readonly start: (...args: ReadonlyArray<string>) => Running
  /** Runs it to its end, with this on stdin. */
  readonly runWith: (stdin: string | Uint8Array, ...args: ReadonlyArray<string>) => Promise<Ran>
  /** Runs it to its end, with nothing on stdin. */
  readonly run: (...args: ReadonlyArray<string>) => Promise<Ran>
  /** The JSON of a run that must succeed. */
  readonly json: (...args: ReadonlyArray<string>) => Promise<Record<string, unknown>>
  /** The JSON of each line of a run that must succeed. */
  readonly jsonLines: (...args: ReadonlyArray<string>) => Promise<ReadonlyArray<Record<string, unknown>>>
}

/** Makes a desk. */
export const openDesk = (): Desk => {
  const directory = mkdtempSync(join(tmpdir(), "persist-cli-"))
  const start = (...args: ReadonlyArray<string>): Running => {
    const child = spawn(process.execPath, [...programFor(args), ...args], {
      cwd: directory,
      env: { ...process.env, PERSIST_URL: "sqlite:app.db", NO_COLOR: "1", NODE_COMPILE_CACHE: compiled },
      stdio: ["pipe", "pipe", "pipe"]
    })
    child.stdin.on("error", () => undefined) // It may end before it has read everything.
    const exit = new Promise<Pick<Ran, "code" | "signal">>((resolve) => {
      child.on("close", (code, signal) => resolve({ code, signal }))
    })
    // Whoever stops reading stdout gets what had been written until then.
    const ended = Promise.all([exit, text(child.stdout).catch(() => ""), text(child.stderr)])
      .then(([how, stdout, stderr]): Ran => ({ ...how, stdout, stderr }))
    return { process: child, ended }
  }
  const runWith = (stdin: string | Uint8Array, ...args: ReadonlyArray<string>) => {
    const running = start(...args)
    running.process.stdin.end(stdin)
    return running.ended
  }
  const jsonLines = async (...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await runWith("", ...args, "--json")
    if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`)
    return stdout.trimEnd().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))
  }
  return {
    directory,
    path: (name) => join(directory, name),
    start,
    runWith,
    run: (...args) => runWith("", ...args),
    json: async (...args) => {
      const [only, ...more] = await jsonLines(...args)
      if (only === undefined || more.length > 0) throw new Error(`${args.join(" ")} printed not one object`)
      return only
    },
    jsonLines,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true })
  }
}

/** The error that a run told as JSON, with its exit code. */
export const errorOf = ({ code, stderr }: Ran): Record<string, unknown> => ({
  code,
  ...JSON.parse(stderr.trimEnd().split("\n").at(-1) ?? "").error
})
