/** What concerns a store of persist as a whole, and takes processes of its own: followed, opened, killed. */
import { type ChildProcess, fork } from "node:child_process"
import { open, type Store } from "persist"
import { orderOf, placed } from "../payload.ts"
import type { StoreName } from "./persist.ts"
import type { FeedSide, Opened, WholeSide } from "./side.ts"

const start = (program: "follower" | "opener" | "writer", url: string): ChildProcess =>
  fork(new URL(`programs/${program}.ts`, import.meta.url), [url], { execArgv: ["--conditions=source"] })

/** The first thing that a process says, or that it ended without a word. */
const firstWord = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve, reject) => {
    child.once("message", resolve)
    child.once("exit", (code) => reject(new Error(`a process of the bench ended with ${code}`)))
  })

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => child.once("exit", resolve))

/** The verbs for a store that has a URL which other processes can open. */
export const wholeSide = (
  name: StoreName,
  url: string,
  store: Store
): Pick<FeedSide, "followElsewhere"> & WholeSide => ({
  followElsewhere: async (took) => {
    const child = start("follower", name === "postgres" ? url : `${url}?readonly=true`)
    await firstWord(child)
    child.on("message", (millis) => took(Number(millis)))
    return async () => {
      child.kill()
      await ended(child)
    }
  },
  // There, opening is the server's.
  ...name === "postgres" ? {} : {
    reopened: async () => {
      await store.close()
      return async () => await firstWord(start("opener", url)) as Opened // what the program says
    },
    recovered: async () => {
      await store.close()
      const child = start("writer", url)
      await firstWord(child)
      child.kill("SIGKILL")
      await ended(child)
      const from = performance.now()
      await using again = await open(url)
      await again.log().append("after", { type: placed, data: orderOf(0) }, { expected: "any" })
      return performance.now() - from
    }
  }
})
