/** Where sides keep what they are given: directories and databases, removed with the bench. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sharedPostgres, sql } from "../../test/servers/postgres.ts"
import type { StoreName } from "../sides/persist.ts"
import type { Place } from "../sides/side.ts"

/** Makes places below one directory. */
export interface Places {
  readonly directory: string
  /** An empty place, and what removes it. */
  readonly place: (store: StoreName) => Promise<readonly [Place, remove: () => Promise<void>]>
  /** The version of the PostgreSQL server, started where nobody has asked for it yet. */
  readonly postgres: () => Promise<string>
  /** Removes everything, at once. */
  readonly remove: () => void
}

const database = async (): Promise<readonly [url: string, drop: () => Promise<void>]> => {
  const scope = Scope.makeUnsafe()
  const server = await Effect.runPromise(sharedPostgres)
  const url = await Effect.runPromise(Scope.provide(server.database, scope))
  return [url, () => Effect.runPromise(Scope.close(scope, Exit.void))]
}

/** Makes a directory for places, below `parent` or the system's temporary one. */
export const makePlaces = (parent: string = tmpdir()): Places => {
  const directory = mkdtempSync(join(parent, "persist-bench-"))
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
    postgres: async () => {
      const { url } = await Effect.runPromise(sharedPostgres)
      const [row] = await Effect.runPromise(sql(url, "SHOW server_version"))
      const [fsync] = await Effect.runPromise(sql(url, "SHOW fsync"))
      return `${String(row?.server_version)}, fsync ${String(fsync?.fsync)}`
    },
    remove: () => rmSync(directory, { recursive: true, force: true })
  }
}
