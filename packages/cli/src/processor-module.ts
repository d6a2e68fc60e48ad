/** Modules that export processors: any number of them, under any names. */
import type { Processor } from "@persist/runner"
import * as Effect from "effect/Effect"
import type { Failure } from "./failure.ts"
import { misuse } from "./failure.ts"
import { loadModule } from "./user-module.ts"

/** Loads the processors that modules export; `Failure` where one exports none, or two have one name. */
export const loadProcessors = Effect.fnUntraced(function*(
  files: ReadonlyArray<string>
): Effect.fn.Return<ReadonlyArray<Processor>, Failure> {
  const found = new Map<string, Processor>()
  for (const file of files) {
    const exported = Object.values(yield* loadModule("FILE", file)).filter(isProcessor)
    if (exported.length === 0) {
      return yield* misuse(
        "FILE",
        `${file} exports no processor`,
        "export what subscription, reaction or workflow of @persist/runner make"
      )
    }
    // What is exported twice, by a name and by default, is one.
    for (const processor of new Set(exported)) {
      if (found.has(processor.name)) {
        return yield* misuse(
          "FILE",
          `${file} exports another processor ${JSON.stringify(processor.name)}`,
          "give each a name of its own"
        )
      }
      found.set(processor.name, processor)
    }
  }
  return Array.from(found.values())
})

// Whoever needs services that nobody here provides has a program of its own.
const isProcessor = (u: unknown): u is Processor =>
  typeof u === "object" && u !== null && "assign" in u && "policy" in u && "guarantee" in u &&
  typeof u.assign === "function"
