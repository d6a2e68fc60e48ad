/** Importing by the command line, in this process. */
import { runCommandLine } from "@persist/cli"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import type { LogSide, Place } from "./side.ts"

/** The import of a file into a new store each time. */
export const importSide = (scheme: "sqlite" | "file", { directory }: Place): Pick<Required<LogSide>, "importLines"> => {
  let made = 0
  const run = async (path: string) => {
    const url = `${scheme}:${join(directory, `imported-${made++}`)}`
    const code = await Effect.runPromise(runCommandLine(["import", "--json", "--store", url, path]))
    if (code !== 0) throw new Error(`persist import ended with ${code}`)
  }
  return { importLines: { directory, run } }
}
