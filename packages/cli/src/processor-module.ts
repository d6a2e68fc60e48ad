/** Modules that export processors and read models: any number of them, under any names, alone or in arrays. */
import { type Processor, readModel, type ReadModelOptions } from "@persist/runner"
import { isProcessor } from "@persist/runner/processor"
import * as Effect from "effect/Effect"
import type { Failure } from "./failure.ts"
import { misuse } from "./failure.ts"
import { type AnyReadModel, isReadModel, loadModule } from "./user-module.ts"

/** Loads the processors that modules export; `Failure` where one exports none, or two have one name. */
export const loadProcessors = (files: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<Processor>, Failure> =>
  Effect.map(
    loadAll(files, processorOf, {
      what: "processor",
      remedy: "export read models, or what subscription, reaction, tables or workflow make"
    }),
    (found) => Array.from(found.values())
  )

/** A read model, and how its module says it's to be kept. */
export interface KeptModel {
  readonly name: string
  readonly model: AnyReadModel
  readonly options: ReadModelOptions
}

/** Loads the read models that modules export, alone or as processors; `Failure` as {@link loadProcessors}. */
export const loadReadModels = (files: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<KeptModel>, Failure> =>
  Effect.map(
    loadAll(files, keptModelOf, { what: "read model", remedy: "export what ReadModel.make makes" }),
    (found) => Array.from(found.values())
  )

const loadAll = Effect.fnUntraced(function*<A extends { readonly name: string }>(
  files: ReadonlyArray<string>,
  select: (exported: unknown) => A | undefined,
  { remedy, what }: { readonly what: string; readonly remedy: string }
): Effect.fn.Return<ReadonlyMap<string, A>, Failure> {
  const found = new Map<string, A>()
  for (const file of files) {
    const own = exportsOf(yield* loadModule("FILE", file)).map(select).filter((each) => each !== undefined)
    if (own.length === 0) return yield* misuse("FILE", `${file} exports no ${what}`, remedy)
    for (const each of own) {
      if (found.has(each.name)) {
        const reason = `${file} exports another ${what} ${JSON.stringify(each.name)}`
        return yield* misuse("FILE", reason, "give each a name of its own")
      }
      found.set(each.name, each)
    }
  }
  return found
})

/** What a module exports, alone or in arrays, each once: by a name and by default is one. */
const exportsOf = (module: object): ReadonlyArray<unknown> => {
  const all = new Set<unknown>(Object.values(module).flat())
  // A read model that is exported beside the processor that keeps it is kept as that says.
  const kept = new Set(Array.from(all).flatMap((each) => isKept(each) ? [each.model] : []))
  return Array.from(all).filter((each) => !isReadModel(each) || !kept.has(each))
}

// Whoever needs services that nobody here provides has a program of its own.
const processorOf = (u: unknown): Processor | undefined =>
  isReadModel(u) ? readModel(u) : isProcessor(u) ? u : undefined

const keptModelOf = (u: unknown): KeptModel | undefined => {
  if (isReadModel(u)) return { name: u.name, model: u, options: {} }
  return isKept(u) ? { name: u.model.name, model: u.model, options: u.options } : undefined
}

const isKept = (u: unknown): u is Processor & KeptModel =>
  isProcessor(u) && "model" in u && isReadModel(u.model) && "options" in u
