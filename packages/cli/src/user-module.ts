/** Modules that users write: a projection, a read model or a store to test, as their default export. */
import { type Catalogue, Invalid, Projection, type ReadModel } from "@persist/core"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { exitCode } from "./exit-code.ts"
import { Failure, misuse } from "./failure.ts"
import { say } from "./output.ts"

/** The module to load. */
export const moduleFlag = (what: string) =>
  Flag.String("module").pipe(
    Flag.withAlias("m"),
    Flag.withMetavar("FILE"),
    Flag.withDescription(`A module whose default export is ${what}; TypeScript is fine`)
  )

/** Loads a module; `Failure`, naming `field`, where there is no such file, or it throws. */
export const loadModule = (field: string, file: string): Effect.Effect<object, Failure> =>
  Effect.suspend(() => {
    const path = resolve(file)
    if (!existsSync(path)) {
      return Effect.fail(misuse(field, `there is no file ${file}`, "name a JavaScript or TypeScript module"))
    }
    const loading = Effect.tryPromise({
      try: (): Promise<object> => import(pathToFileURL(path).href),
      catch: (cause) => unloadable(field, file, path, cause)
    })
    return Effect.raceFirst(loading, Effect.andThen(Effect.sleep(patience), tellOf(file)))
  })

// Milliseconds until whoever waits is told what for.
const patience = 5000

const tellOf = (file: string) =>
  Effect.andThen(say(`${file} is still being loaded: what it awaits at its top level hasn't come`), Effect.never)

/** Loads a module's default export; `Failure` where there is none, or the module throws. */
export const loadDefault = (file: string): Effect.Effect<unknown, Failure> =>
  Effect.flatMap(loadModule("--module", file), (module) =>
    "default" in module
      ? Effect.succeed(module.default)
      : Effect.fail(misuse("--module", `${file} has no default export`, "export default what it is to give")))

const unloadable = (field: string, file: string, path: string, cause: unknown): Failure => {
  const message = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  const line = lineIn(path, cause)
  const place = line === undefined ? "" : `, line ${line}`
  const isUnknownKind = code === "ERR_UNKNOWN_FILE_EXTENSION"
  return new Failure({
    exitCode: exitCode.usage,
    field,
    reason: isUnknownKind ? `${file} is no module` : `${file} can't be loaded (${message.split("\n")[0]}${place})`,
    remedy: isUnknownKind
      ? "name a .js, .mjs, .ts or .mts file"
      : code === "ERR_MODULE_NOT_FOUND"
      ? "packages it imports must be installed where it lies"
      : "mend it",
    cause
  })
}

/** The line of a file that an error comes from, as far as its stack tells. */
const lineIn = (path: string, cause: unknown): string | undefined => {
  const stack = cause instanceof Error ? cause.stack ?? "" : ""
  for (const place of [pathToFileURL(path).href, path]) {
    const at = stack.indexOf(`${place}:`)
    if (at >= 0) return /^\d+/.exec(stack.slice(at + place.length + 1))?.[0]
  }
  return undefined
}

/** A projection that a module exports. */
export type AnyProjection = Projection<unknown>

/** Loads a projection; `Failure` where the default export is something else. */
export const loadProjection = (file: string): Effect.Effect<AnyProjection, Failure> =>
  Effect.flatMap(loadDefault(file), (exported) =>
    Projection.is(exported)
      ? Effect.succeed(exported)
      : Effect.fail(
        misuse(
          "--module",
          `the default export of ${file} is no projection`,
          "export default Projection.make({ name, version, seed, step })"
        )
      ))

/** Says with a failure of a module's own code also what that code threw, as whoever wrote it will want to know. */
export const tellingCause = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Failure, R> =>
  Effect.mapError(effect, (error) => {
    if (!(error instanceof Invalid) || !(error.cause instanceof Error) || error.cause instanceof Invalid) return error
    const { cause, field, reason, remedy } = error
    return misuse(field, `${reason}: ${cause.name}: ${cause.message.split("\n")[0]}`, remedy, cause)
  })

/** A read model that a module exports. */
export type AnyReadModel = ReadModel<Catalogue, unknown>

/** Loads a read model; `Failure` where the default export is something else. */
export const loadReadModel = (file: string): Effect.Effect<AnyReadModel, Failure> =>
  Effect.flatMap(loadDefault(file), (exported) =>
    isReadModel(exported)
      ? Effect.succeed(exported)
      : Effect.fail(
        misuse(
          "--module",
          `the default export of ${file} is no read model`,
          "export default ReadModel.make({ name, version, events, keys, seed, step, value })"
        )
      ))

/** Whether something a module exports is a read model. */
export const isReadModel = (u: unknown): u is AnyReadModel =>
  typeof u === "object" && u !== null && "reader" in u && "namespace" in u && "step" in u && "kv" in u &&
  typeof u.kv === "function"
