/** Which store a command works on, and how it is opened. */
import { type BackendShape, type Invalid, makeStore, type StoreError, type StoreShape } from "@persist/core"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { openUrl, renewIncarnation, storeUrl as storeUrlConfig } from "persist/effect"
import { type Failure, misuse } from "./failure.ts"
import { patient } from "./patient.ts"

/** The store's URL, where it was given on the command line. */
export const StoreFlag = GlobalFlag.Setting("store")({
  flag: Flag.String("store").pipe(
    Flag.withDescription(
      "The store's URL, sqlite:FILE, file:DIRECTORY, postgres://… or memory:; otherwise $PERSIST_URL, otherwise " +
        "sqlite:./persist.db"
    ),
    Flag.withMetavar("URL"),
    Flag.optional
  )
})

/** What a command needs to find its store. */
export type NeedsStore = GlobalFlag.Setting.Identifier<"store">

/** The URL of the store that a command works on. */
export const storeUrl: Effect.Effect<string, never, NeedsStore> = Effect.flatMap(
  StoreFlag,
  (given) => Option.isSome(given) ? Effect.succeed(given.value) : Effect.orDie(storeUrlConfig)
)

/** The same as it may be shown: without what stands before an `@`. */
export const shownUrl: Effect.Effect<string, never, NeedsStore> = Effect.map(
  storeUrl,
  (url) => url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/, "$1…@")
)

/** How large the files of a store are, in bytes; `undefined` for a store that isn't in a file. */
export const fileBytes = (url: string): number | undefined => {
  const [, scheme = "", path] = /^(sqlite|file):(?!:memory:)([^?]+)/i.exec(url) ?? []
  if (path === undefined) return undefined
  const place = decodeURIComponent(path)
  const files = scheme.toLowerCase() === "sqlite" ? [place, `${place}-wal`] : filesIn(place)
  const sizes = files.map((file) => statSync(file, { throwIfNoEntry: false })?.size)
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
}

const filesIn = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .flatMap((entry) => entry.isFile() ? [join(entry.parentPath, entry.name)] : [])

/** How a command uses its store: one that only reads leaves nothing behind where there is none. */
export type Use = "read" | "write"

/** Opens the command's store for as long as the scope; `Failure` names `--store` where there is none. */
export const openStore = (use: Use): Effect.Effect<StoreShape, StoreError | Failure, NeedsStore | Scope> =>
  Effect.flatMap(openBackend(use), (backend) => makeStore(backend))

/** The same for a command that follows it for good: while it can't be read, that is said, and it's waited for. */
export const openFollowed = (use: Use): Effect.Effect<StoreShape, StoreError | Failure, NeedsStore | Scope> =>
  Effect.flatMap(openBackend(use), (backend) => makeStore(patient(backend)))

/** The same without the store above it. */
export const openBackend = (use: Use): Effect.Effect<BackendShape, StoreError | Failure, NeedsStore | Scope> =>
  Effect.flatMap(storeUrl, (url) =>
    Effect.mapError(
      openUrl(use === "read" ? forReading(url) : url),
      (error) => error._tag === "Invalid" ? wrongStore(error, use) : error
    ))

/** Gives the command's store another incarnation, and answers it; `Failure` names `--store` where there is none. */
export const renewStore: Effect.Effect<string, StoreError | Failure, NeedsStore> = Effect.flatMap(
  storeUrl,
  (url) =>
    Effect.mapError(renewIncarnation(url), (error) => error._tag === "Invalid" ? wrongStore(error, "read") : error)
)

// Of those that last it matters: opening one for writing makes it.
const forReading = (url: string): string =>
  !/^(sqlite:(?!:memory:)|file:|postgres(ql)?:)/i.test(url) || /[?&]readonly(?:[=&]|$)/.test(url)
    ? url
    : `${url}${url.includes("?") ? "&" : "?"}readonly=true`

const wrongStore = ({ cause, field, reason, remedy }: Invalid, use: Use): Failure =>
  misuse(
    "store",
    field === "url" || field === "path" ? reason : `${field}: ${reason}`,
    use === "read" && (field === "path" || field === "schema")
      ? "correct --store or PERSIST_URL, or make the store with persist init"
      : remedy,
    cause
  )
