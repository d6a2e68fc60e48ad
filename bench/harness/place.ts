/** Where sides keep what they are given: directories and databases, removed with the bench. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sharedPostgres, sql } from "../../test/servers/postgres.ts"
import { isAlive } from "../../test/servers/processes.ts"
import type { StoreName } from "../sides/persist.ts"
import type { Place } from "../sides/side.ts"
import { fileSystemOf, type Postgres, timeFsync } from "./machine.ts"
import { Unusable } from "./unusable.ts"

/** Makes places below one directory. */
export interface Places {
  readonly directory: string
  /** An empty place, and what removes it. */
  readonly place: (store: StoreName) => Promise<readonly [Place, remove: () => Promise<void>]>
  /** The PostgreSQL server, started where nobody has asked for it yet. */
  readonly postgres: () => Promise<Postgres>
  /** What a flush takes now where a store lies, in milliseconds; `undefined` where no disk of this machine holds it. */
  readonly flush: (store: StoreName) => number | undefined
  /** Removes everything, at once. */
  readonly remove: () => void
}

const database = async (): Promise<readonly [url: string, drop: () => Promise<void>]> => {
  const scope = Scope.makeUnsafe()
  const server = await Effect.runPromise(sharedPostgres)
  const url = await Effect.runPromise(Scope.provide(server.database, scope))
  return [url, () => Effect.runPromise(Scope.close(scope, Exit.void))]
}

/** Whether PostgreSQL is a server that was there before, whose disk nothing is known of. */
const isElsewhere = (): boolean => process.env.PERSIST_TEST_POSTGRES !== undefined

/** What of PostgreSQL's settings moves the figures. */
const settings = [
  "fsync",
  "synchronous_commit",
  "full_page_writes",
  "wal_sync_method",
  "shared_buffers",
  "max_wal_size",
  "jit"
]

const postgres = async (): Promise<Postgres> => {
  const { url } = await Effect.runPromise(sharedPostgres)
  const ask = "SELECT name, current_setting(name) AS value FROM unnest($1::text[]) AS name"
  const rows = await Effect.runPromise(sql(url, ask, [["server_version", ...settings]]))
  const { server_version: version = "unknown", ...others } = Object.fromEntries(
    rows.map(({ name, value }) => [String(name), String(value)])
  )
  // A server that is started here makes its data in the system's temporary directory.
  const data = isElsewhere() ? "where that server keeps it" : `on ${fileSystemOf(tmpdir())}, in the temporary directory`
  return { version, settings: others, data }
}

const prefix = "persist-bench-"

const whyNot = (directory: string, cause: unknown): Unusable =>
  new Unusable(
    `stores can't be made below ${directory} (${cause instanceof Error ? cause.message : String(cause)}): pass a ` +
      "directory with --directory that this account may write to, with 10 GB of room for all workloads",
    { cause }
  )

/** Makes a directory named for this process, and removes those of processes that are gone. */
const newDirectory = (parent: string): string => {
  try {
    for (const name of readdirSync(parent)) {
      const owner = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1] ?? 0)
      if (owner > 0 && !isAlive(owner)) rmSync(join(parent, name), { recursive: true, force: true })
    }
    return mkdtempSync(join(parent, `${prefix}${process.pid}-`))
  } catch (error) {
    throw whyNot(parent, error)
  }
}

/** Makes a directory for places, below `parent` or the system's temporary one. Throws `Unusable` where it can't. */
export const makePlaces = (parent: string = tmpdir()): Places => {
  const directory = newDirectory(parent)
  let made = 0
  return {
    directory,
    place: async (store) => {
      const own = join(directory, String(made++))
      mkdirSync(own)
      const [url, drop] = store === "postgres" ? await database() : ["", async () => undefined]
      const remove = async () => {
        await drop()
        rmSync(own, { recursive: true, force: true })
      }
      return [{ directory: own, url }, remove]
    },
    postgres,
    flush: (store) => {
      if (store === "memory" || store === "postgres" && isElsewhere()) return undefined
      const at = store === "postgres" ? tmpdir() : directory
      try {
        return timeFsync(at)
      } catch (error) {
        throw whyNot(at, error)
      }
    },
    remove: () => rmSync(directory, { recursive: true, force: true })
  }
}
