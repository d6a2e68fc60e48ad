/** What concerns a store as a whole, on any side that can open what it left: opened in a new process, killed. */
import { type ChildProcess, fork } from "node:child_process"
import { orderOf } from "../payload.ts"
import type { StoreName } from "./persist.ts"
import type { Opened, OpenedHere, OpenSide, Place, Side, WholeSide } from "./side.ts"

/** Starts a program of the bench. */
export const startProgram = (
  program: "follower" | "importer" | "writer",
  args: ReadonlyArray<string>
): ChildProcess =>
  fork(new URL(`programs/${program}.ts`, import.meta.url), args, {
    execArgv: ["--conditions=source"],
    // What the bench prints is its own.
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })

/** The first thing that a process says, or that it ended without a word. */
export const firstWord = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve, reject) => {
    child.once("message", resolve)
    child.once("exit", (code) => reject(new Error(`a process of the bench ended with ${code}`)))
  })

/** Waits until a process has ended. */
export const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", resolve))

/** A side and how it's opened again. */
export interface Reopening {
  readonly store: StoreName
  /** Its name among the sides of the store. */
  readonly name: string
  readonly place: Place
  readonly open: OpenSide
  /** What the program that opens it knows it as, and where it finds it. */
  readonly opener: readonly [name: string, place: Place]
  readonly close: () => Promise<void>
}

/** What a program says that has nothing else to do. */
const said = async (program: string, ...args: ReadonlyArray<string>): Promise<unknown> => {
  const child = fork(program, args, { execArgv: [] })
  const word = await firstWord(child)
  await ended(child)
  return word
}

/** Opens a store in new processes, each beside one that is empty. */
const opening = async (name: string, place: Place): Promise<() => Promise<Opened>> => {
  // What builds them isn't needed for anything else.
  const { buildPrograms } = await import("./programs/built.ts")
  const [opener = "", empty = ""] = await buildPrograms("opener", "empty")
  return async () => {
    const { resident, time, warm } = await said(opener, name, JSON.stringify(place)) as OpenedHere // what it says
    return { time, warm, memory: (resident - Number(await said(empty))) / 2 ** 20 }
  }
}

/** The verbs of a store that other processes can open by its place, and how it's closed: once. */
export const wholeSide = (
  { close, name, open, opener, place, store }: Reopening
): WholeSide & Pick<Side, "close"> => {
  const args = [store, name, JSON.stringify(place)]
  let closing: Promise<void> | undefined
  const closeOnce = () => closing ??= close()
  return {
    close: closeOnce,
    reopened: async () => {
      await closeOnce()
      return await opening(...opener)
    },
    recovered: async () => {
      await closeOnce()
      const child = startProgram("writer", args)
      await firstWord(child)
      child.kill("SIGKILL")
      await ended(child)
      const from = performance.now()
      const again = await open(place)
      await again.append?.(1, 1, () => ({ stream: "after", orders: [orderOf(0)] }))
      const taken = performance.now() - from
      await again.close()
      return taken
    }
  }
}
