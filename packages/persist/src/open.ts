/** Opening a store by URL: one call, and everything else is reached from what it answers. */
import { type BackendShape, makeStore, type StoreError, type StoreOptions } from "@persist/core"
import * as Fault from "@persist/core/fault"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { storeUrl } from "./location.ts"
import { type Abortable, call } from "./run.ts"
import { openUrl, type Schemes } from "./scheme.ts"
import { promiseStore, type Store } from "./store.ts"

/** How a store is opened. What concerns its backend stands in the URL. */
export interface OpenOptions extends StoreOptions, Abortable {
  /** Schemes for this call alone, before those registered. */
  readonly schemes?: Schemes | undefined
}

/** The backend to open: as its package makes it. It's closed with the store. */
export type BackendSource = Effect.Effect<BackendShape, StoreError, Scope.Scope>

const counts = { waitingCommits: 1, waitingBytes: 1, batchCommits: 1, retries: 0, atLeastWithin: 0 } as const

/**
 * Opens a store: `await using store = await open("sqlite:app.db")`. Without a URL it takes the environment's
 * `PERSIST_URL`, else `sqlite:./persist.db`; in place of a URL it takes what a backend's package makes.
 *
 * `memory:` is a new store that ends with the handle. `sqlite:path` is a file, created where it isn't there, with the
 * parameters `readonly` (`true`, `false`), `synchronous` (`FULL`, `NORMAL`, `OFF`), `busyTimeout` and `pollInterval`
 * (milliseconds): `sqlite:app.db?readonly=true`. `file:path` is a directory, made where it isn't there, that one
 * process writes and others may read, with the parameters `readonly`, `segmentBytes` and `pollInterval`. Paths are
 * percent-decoded, so write `%3F` for `?` and `%25` for `%`.
 *
 * Rejects, having changed nothing, with `Invalid` (a wrong URL or option, or what is there is no store), `Unsupported`
 * (a store of a newer version), `Unavailable` (locked, or the driver can't be loaded), `Denied` or `Corrupt`.
 */
export const open = (source?: string | BackendSource, options?: OpenOptions): Promise<Store> =>
  call(options, (own) => {
    const { schemes, ...storeOptions } = own ?? {}
    const fault = Fault.optionsFault(own, ["schemes", "signal", ...Object.keys(counts)]) ?? countFault(storeOptions)
    return fault === undefined ? opening(backendOf(source, schemes), storeOptions) : Effect.fail(fault)
  })

const countFault = (options: StoreOptions): Fault.Fault | undefined => {
  for (const [name, value] of Object.entries(options)) {
    // Only these names are left, unknown ones having been refused.
    const fault = value === undefined ? undefined : Fault.counterFault(name, value, counts[name as keyof typeof counts])
    if (fault !== undefined) return fault
  }
  return undefined
}

const backendOf = (source: string | BackendSource | undefined, schemes: Schemes | undefined): BackendSource => {
  if (Effect.isEffect(source)) return source
  if (source !== undefined) return openUrl(source, schemes)
  // The environment as it is now, not as it was when something first asked for it. It has a default, so it can't fail.
  const url = Effect.suspend(() =>
    Effect.provideService(storeUrl, ConfigProvider.ConfigProvider, ConfigProvider.fromEnv())
  )
  return Effect.flatMap(Effect.orDie(url), (found) => openUrl(found, schemes))
}

const opening = (backend: BackendSource, options: StoreOptions): Effect.Effect<Store, StoreError> =>
  Effect.suspend(() => {
    const scope = Scope.makeUnsafe()
    const made = Effect.flatMap(backend, (opened) => makeStore(opened, options))
    return Scope.provide(made, scope).pipe(
      Effect.map((store) => promiseStore(store, scope)),
      Effect.onExit((exit) => Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void)
    )
  })
