/** A side in a process of its own, so that its compiler and its garbage hurt nobody else. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Figures } from "../workloads/workload.ts"
import type { About, Assignment, Refusal, Reply, Request } from "./messages.ts"

const worker = fileURLToPath(new URL("worker.ts", import.meta.url))

/** Processes that are there, to be ended with the bench. */
const alive = new Set<ChildProcess>()

/** Ends all processes at once. */
export const endChildren = (): void => alive.forEach((child) => child.kill("SIGKILL"))

/** A side that takes part in a workload. */
export interface Child {
  /** Does a round; rejects where the side fails, after which it's gone. */
  readonly round: () => Promise<Figures>
  readonly close: () => Promise<void>
  readonly about: About
}

/** The most that preparing a side and one of its rounds may each take, in milliseconds. */
export interface Limits {
  readonly prepare: number
  readonly round: number
}

/** Asks, and waits for the answer, or for the end of the process or of the time it's given. */
const ask = (child: ChildProcess, request: Request, within: number): Promise<Reply> =>
  new Promise((resolve) => {
    const end = (reply: Reply) => {
      clearTimeout(timer)
      child.off("message", end)
      child.off("exit", gone)
      resolve(reply)
    }
    const gone = (code: number | null, signal: string | null) =>
      end({ is: "failed", why: `its process ended with ${signal ?? code}` })
    const timer = setTimeout(() => {
      child.kill("SIGKILL")
      end({ is: "failed", why: `no answer within ${within / 1000} s` })
    }, within)
    child.once("message", end)
    child.once("exit", gone)
    // One that was killed may hear no more before its end is known here.
    child.send(request, (error) => {
      if (error !== null) end({ is: "failed", why: error.message })
    })
  })

const whyOf = (reply: Reply): string => "why" in reply ? reply.why : `it answered: ${reply.is}`

/** Starts a side; gives why it can't take part where it can't. A side that takes longer than `within` has failed. */
export const startChild = async (assignment: Assignment, within: Limits): Promise<Child | Refusal> => {
  const profile = process.env.PERSIST_BENCH_PROFILE
  const profiling = profile === undefined
    ? []
    : ["--cpu-prof", `--cpu-prof-dir=${profile}/${assignment.store}-${assignment.workload}-${assignment.side}`]
  const child = fork(worker, [], {
    execArgv: ["--conditions=source", "--expose-gc", "--disable-warning=ExperimentalWarning", ...profiling],
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })
  alive.add(child)
  child.once("exit", () => alive.delete(child))
  const end = async () => {
    if (!alive.has(child)) return
    await ask(child, { ask: "close" }, within.round)
    if (child.connected) child.disconnect()
    if (alive.has(child)) await new Promise((resolve) => child.once("exit", resolve))
  }
  const reply = await ask(child, { ask: "prepare", assignment }, within.prepare)
  if (reply.is === "ready") {
    const round = async () => {
      const measured = await ask(child, { ask: "round" }, within.round)
      if (measured.is === "measured") return measured.figures
      child.kill("SIGKILL")
      throw new Error(whyOf(measured))
    }
    return { round, about: reply.about, close: end }
  }
  await end()
  return reply.is === "unable" || reply.is === "not installed" ? reply : { is: "failed", why: whyOf(reply) }
}
