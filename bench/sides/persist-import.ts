/** Importing by the command line, in this process; and projections of a history that was imported so. */
import { runCommandLine } from "@persist/cli"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { open } from "persist"
import { type Fold, projectAll, total } from "../../examples/repository-history/projecting.ts"
import { checkFigures } from "./history.ts"
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

const openHistory = async (url: string, path: string): Promise<History> => {
  await importInto(url, path)
  const store = await open(url)
  return {
    project: () => projected((projection) => store.project(projection, { all: true })),
    load: () => projected((projection) => store.load(projection, { all: true })),
    close: store.close
  }
}

type Kept = "sqlite" | "file" | "postgres"

/** The URL of a store of its own: in PostgreSQL a schema of the place's database, which is made with it. */
const urlOf = (scheme: Kept, { directory, url }: Place, name: string): string => {
  if (scheme !== "postgres") return `${scheme}:${join(directory, name)}`
  const own = new URL(url)
  own.searchParams.set("schema", name)
  return own.href
}

/** The import of a file into a new store each time, and of a history into one that is projected. */
export const importSide = (scheme: Kept, place: Place): Pick<Required<LogSide>, "importLines" | "openHistory"> => {
  let made = 0
  const newUrl = () => urlOf(scheme, place, `imported_${made++}`)
  return {
    importLines: {
      directory: place.directory,
      run: async (path) => {
        const url = newUrl()
        await importInto(url, path)
        return () => countOf(url)
      }
    },
    openHistory: (path) => openHistory(newUrl(), path)
  }
}
