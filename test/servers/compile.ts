/** Libraries in C that are put between a server and its system, compiled where a test needs one. */
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { programOf, type Skippable } from "./program.ts"

/** Compiles a source of this directory into another directory; gives the library's path. */
export const compile = (source: string, directory: string, context: Skippable): Effect.Effect<string> =>
  Effect.map(programOf("gcc", context), (gcc) => {
    const library = join(directory, source.replace(/\.c$/, ".so"))
    execFileSync(gcc, [
      "-shared",
      "-fPIC",
      "-Wall",
      "-Wextra",
      "-Werror",
      "-o",
      library,
      join(import.meta.dirname, source)
    ])
    return library
  })
