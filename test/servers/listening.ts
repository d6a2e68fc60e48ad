/** Starting a server: it is there when it says so, and then doesn't keep the tests' process from ending. */
import { type ChildProcess, spawn } from "node:child_process"
import type { Socket } from "node:net"
import { serverAccount } from "./account.ts"

/** What a server's process knows of the world, so that its words are English wherever it runs. */
export const surroundings = { cwd: "/", env: { PATH: process.env.PATH, LC_ALL: "C" } }

/** Waits until a server's words match; gives them where it ended instead. */
const heard = (server: ChildProcess, marker: RegExp): Promise<string | undefined> =>
  new Promise((resolve) => {
    let said = ""
    server.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-10_000)
      if (marker.test(said)) resolve(undefined)
    })
    server.once("exit", () => resolve(said))
    server.once("error", (error) => resolve(String(error)))
  })

/** Runs a server under the servers' account until its standard error matches; gives what it said where it ended. */
export const listening = async (
  program: string,
  args: ReadonlyArray<string>,
  marker: RegExp,
  variables: Readonly<Record<string, string>> = {}
): Promise<ChildProcess | string> => {
  const { cwd, env } = surroundings
  const server = spawn(program, args, {
    ...serverAccount(),
    cwd,
    env: { ...env, ...variables },
    stdio: ["ignore", "ignore", "pipe"]
  })
  const failure = await heard(server, marker)
  if (failure !== undefined) return failure
  server.unref() // What `spawn` gives as a pipe is a socket, though its type doesn't say so.
  ;(server.stderr as Socket | null)?.unref()
  return server
}
