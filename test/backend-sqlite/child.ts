/** Child processes: each runs one script on the sources, talks in lines, and ends with the scope. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { Scope } from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

/** A running child. */
export interface Child {
  /** Its process's number; where it runs within another program, that one's. */
  readonly pid: number
  /** The next line it prints; dies where it ended without one. */
  readonly line: Effect.Effect<string>
  /** Lets a child go on that waits at its start. */
  readonly go: Effect.Effect<void>
  /** Ends it at once, as kill -9 does, and waits until it is gone. */
  readonly kill: Effect.Effect<void>
  /** Waits for its end: the exit code, or the signal's name. */
  readonly ended: Effect.Effect<number | string>
}

/** How a child is run. */
export interface ChildOptions {
  /** Without root's rights, where the tests have them. */
  readonly unprivileged?: boolean
  /** Largest file it may write, in KiB; a write beyond it fails. */
  readonly fileKibibytes?: number
  /** A program and its arguments that run it. */
  readonly within?: ReadonlyArray<string>
}

const nobody = 65_534

const start = (script: string, args: ReadonlyArray<string>, options: ChildOptions): ChildProcess => {
  const path = fileURLToPath(new URL(script, new URL("child/", import.meta.url)))
  const command = [...options.within ?? [], process.execPath, "--conditions=source", path, ...args]
  const limited = options.fileKibibytes === undefined
    ? command
    : ["bash", "-c", `ulimit -f ${options.fileKibibytes} && exec "$@"`, "bash", ...command]
  const [program = "", ...rest] = limited
  const identity = options.unprivileged === true && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  return spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"], ...identity })
}

/** Starts a script, one of `child/` here or by its URL; it is killed with the scope. */
export const startChild = (
  script: string,
  args: ReadonlyArray<string>,
  options: ChildOptions = {}
): Effect.Effect<Child, never, Scope> =>
  Effect.gen(function*() {
    const lines = yield* Queue.unbounded<string, "ended">()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => start(script, args, options)),
      (running) => Effect.sync(() => running.kill("SIGKILL"))
    )
    const end = new Promise<number | string>((resolve) => {
      child.once("close", (code, signal) => resolve(code ?? signal ?? "unknown"))
    })
    if (child.stdout !== null) {
      const reader = createInterface({ input: child.stdout })
      reader.on("line", (line) => Queue.offerUnsafe(lines, line))
      reader.once("close", () => Queue.failCauseUnsafe(lines, Cause.fail("ended")))
    }
    const ended = Effect.promise(() => end)
    return {
      pid: child.pid ?? 0,
      line: Effect.orDie(Queue.take(lines)),
      go: Effect.sync(() => child.stdin?.write("go\n")),
      kill: Effect.andThen(Effect.sync(() => child.kill("SIGKILL")), Effect.asVoid(ended)),
      ended
    }
  })

/** Starts the same script several times and lets all go at the same moment, once each is ready. */
export const startTogether = (
  count: number,
  script: string,
  argsOf: (n: number) => ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Child>, never, Scope> =>
  Effect.gen(function*() {
    const children = yield* Effect.forEach(Array.from({ length: count }, (_, n) => n), (n) =>
      startChild(script, argsOf(n)))
    for (const { line } of children) {
      yield* line
    }
    for (const { go } of children) {
      yield* go
    }
    return children
  })

/** Runs a script to its end and gives the line it prints after it was let go. */
export const runChild = (script: string, args: ReadonlyArray<string>, options?: ChildOptions): Effect.Effect<string> =>
  Effect.scoped(Effect.gen(function*() {
    const { ended, go, line } = yield* startChild(script, args, options)
    yield* line
    yield* go
    const said = yield* line
    yield* ended
    return said
  }))
