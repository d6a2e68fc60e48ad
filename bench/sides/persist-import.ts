/** Importing by the command line, in this process; and projections of a history that was imported so. */
import { runCommandLine } from "@persist/cli"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { open } from "persist"
import { type Fold, projectAll, total } from "../../examples/repository-history/projecting.ts"
import { checkFigures } from "./history.ts"
import { analyze, dropSchema } from "./raw-postgres-schema.ts"
import type { History, LogSide, Place } from "./side.ts"

/** Imports a file into a store. */
export const importInto = async (url: string, path: string): Promise<void> => {
  const code = await Effect.runPromise(runCommandLine(["import", "--json", "--store", url, path]))
  if (code !== 0) throw new Error(`persist import ended with ${code}`)
}

const countOf = async (url: string): Promise<number> => {
  await using store = await open(url)
  let count = 0
  for await (const _ of store.log().readAll()) count++
  return count
}

/** The three projections; how many events were read for them. */
const projected = async (fold: Fold): Promise<number> => {
  const { costs, figures } = await projectAll(fold)
  checkFigures(figures)
  return total(costs, "replayed")
}

const openHistory = async (url: string): Promise<History> => {
  const store = await open(url)
  return {
    project: () => projected((projection) => store.project(projection, { all: true })),
    load: () => projected((projection) => store.load(projection, { all: true })),
    close: store.close
  }
}

type Kept = "sqlite" | "file" | "postgres"

/** A store of its own in PostgreSQL: a schema of the place's database, which is made with it. */
const urlOfSchema = (url: string, schema: string): string => {
  const own = new URL(url)
  own.searchParams.set("schema", schema)
  return own.href
}

/** The import of a file into a new store each time, and of a history into one that is projected. */
export const importSide = (
  scheme: Kept,
  { directory, url }: Place
): Pick<Required<LogSide>, "importLines" | "openHistory"> => {
  let made = 0
  const isPostgres = scheme === "postgres"
  const newStore = () => {
    const name = `imported_${made++}`
    return { name, own: isPostgres ? urlOfSchema(url, name) : `${scheme}:${join(directory, name)}` }
  }
  return {
    importLines: {
      directory,
      run: async (path) => {
        const { name, own } = newStore()
        await importInto(own, path)
        return async () => {
          const count = await countOf(own)
          if (isPostgres) await dropSchema(url, name)
          return count
        }
      }
    },
    openHistory: async (path) => {
      const { name, own } = newStore()
      await importInto(own, path)
      if (isPostgres) await analyze(url, name)
      return await openHistory(own)
    }
  }
}
