/** Programs that a machine may lack: a test that needs one is skipped and says why, and in CI it fails. */
import * as Effect from "effect/Effect"
import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"

/** What a test says of itself when it can't run: vitest's context. */
export interface Skippable {
  readonly skip: (why: string) => never
}

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The path of a program, in `PATH` or where Debian keeps servers; skips the test where there is none. */
export const programOf = (name: string, context: Skippable): Effect.Effect<string> =>
  Effect.sync(() => {
    const directories = [...process.env.PATH?.split(delimiter) ?? [], "/usr/sbin"]
    const found = directories.map((directory) => join(directory, name)).find(isProgram)
    if (found !== undefined) return found
    const why = `${name} isn't installed: apt-get install ${name}`
    if (process.env.CI === undefined) return context.skip(why)
    throw new Error(`${why}; CI skips no test`)
  })
