/** A child process as its parent has it: what it tells, the system calls it asks about, and its end. */
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import type { Socket } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { root } from "../tidy/tree.ts"
import { channel, decode, type Message } from "./message.ts"
import { answerOf, type Call, callOf, isCall, shimEnvironment, type Verdict } from "./shim.ts"

/** What can be done to a child. */
export interface Hold {
  /** Lets it go at first, and asks it to stop later. */
  readonly nudge: () => void
  /** Ends it as kill -9 does. */
  readonly kill: () => void
}

/** A running child. */
export interface Running extends Hold {
  /** Resolves once it is gone and everything that it said was heard. */
  readonly ended: Effect.Effect<End>
}

/** How a child ended, and what it wrote to its standard error. */
export interface End {
  readonly code: number | null
  readonly signal: string | null
  readonly complaints: string
}

/** What is done with what a child says; all in the order in which it says it. */
export interface Attention {
  readonly onMessage: (message: Message, child: Hold) => void
  /** Where system calls are watched: by which library, under which directory, and what becomes of each. */
  readonly watch?: Watch | undefined
  /** Whether it waits to be nudged, rather than goes to work as soon as it's ready. */
  readonly held?: boolean
}

/** How system calls are watched. */
export interface Watch {
  readonly library: string
  readonly directory: string
  readonly onCall: (call: Call) => Verdict
}

/** Starts a script of `child/` with a command; it doesn't outlive the scope. */
export const start = (
  script: string,
  command: object,
  attention: Attention
): Effect.Effect<Running, never, Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => launch(script, command, attention)),
    ({ kill }) => Effect.sync(kill)
  )

const launch = (script: string, command: object, { held = false, onMessage, watch }: Attention): Running => {
  const path = fileURLToPath(new URL(`child/${script}`, import.meta.url))
  const asked = watch === undefined ? {} : shimEnvironment(watch.library, watch.directory, channel)
  const child = spawn(process.execPath, ["--conditions=source", path, JSON.stringify(command)], {
    stdio: ["pipe", "ignore", "pipe", "pipe"],
    // Most of what a short life takes is reading the sources.
    env: { NODE_COMPILE_CACHE: join(root, ".cache", "crash", "compiled"), ...process.env, ...asked }
  })
  const hold: Hold = { nudge: () => child.stdin?.write("go\n"), kill: () => child.kill("SIGKILL") }
  const socket = child.stdio[channel] as Socket // a pipe, as asked for just above
  const complaints: Array<string> = []
  child.stderr?.on("data", (chunk) => complaints.push(String(chunk)))
  // A process that is killed leaves writes behind that nobody reads any more.
  for (const stream of [socket, child.stdin]) stream?.on("error", () => undefined)
  eachLine(socket, (line) => {
    if (isCall(line)) {
      if (watch !== undefined) socket.write(answerOf(watch.onCall(callOf(line))))
      return
    }
    const message = decode(line)
    onMessage(message, hold)
    if (!held && message._tag === "Mark" && message.name === "ready") hold.nudge()
  })
  const end = endOf(child, new Promise((resolve) => socket.once("close", resolve)), complaints)
  return { ...hold, ended: Effect.promise(() => end) }
}

// What a killed process had begun to say is of no account.
const eachLine = (socket: Socket, use: (line: string) => void): void => {
  let rest = ""
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n")
    rest = lines.pop() ?? ""
    lines.forEach(use)
  })
}

const endOf = async (child: ChildProcess, heard: Promise<unknown>, complaints: ReadonlyArray<string>): Promise<End> => {
  const closed = new Promise<Pick<End, "code" | "signal">>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }))
  })
  const [end] = await Promise.all([closed, heard])
  return { ...end, complaints: complaints.join("") }
}
