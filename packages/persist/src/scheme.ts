/** Which stores there are, by the scheme of their URLs. A driver is loaded when a URL asks for it, not before. */
import { type BackendShape, Invalid, type StoreError, Unavailable, Unsupported } from "@persist/core"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import {
  directoryOf,
  flag,
  oneOf,
  parseUrl,
  readParams,
  schemeOf,
  type StoreUrl,
  urlFault,
  whole
} from "./store-url.ts"

/** Opens the backend that a URL names; it closes with the scope. Import the driver within: only users load it then. */
export interface Scheme {
  (url: StoreUrl): Effect.Effect<BackendShape, StoreError, Scope>
  /** Gives the store a URL names another incarnation, and answers it; for stores that can be restored or copied. */
  readonly renew?: ((url: StoreUrl) => Effect.Effect<string, StoreError>) | undefined
}

/** Schemes by name, without the colon. */
export interface Schemes {
  readonly [name: string]: Scheme
}

const memory: Scheme = (url) =>
  Effect.flatMap(checked(url, {}), (): ReturnType<Scheme> =>
    url.path === ""
      ? Effect.flatMap(load("memory", () => import("@persist/backend-memory")), ({ make }) => make())
      : Effect.fail(urlFault("a store in memory has no name", "write memory:")))

const sqliteParams = {
  readonly: flag,
  synchronous: oneOf("FULL", "NORMAL", "OFF"),
  busyTimeout: whole,
  pollInterval: whole
}

const sqliteConfig = (url: StoreUrl) =>
  Effect.flatMap(checked(url, sqliteParams), (options) => {
    if (url.path === "") {
      return Effect.fail(urlFault("no file is named", "write sqlite:path, or sqlite::memory: for a store in memory"))
    }
    if (url.path.startsWith("//")) {
      return Effect.fail(urlFault("a file has no host", "write sqlite:path or sqlite:/absolute/path, without //"))
    }
    return Effect.succeed({ path: url.path, ...options })
  })

const sqliteDriver = Effect.suspend(() => load("sqlite", () => import("@persist/backend-sqlite")))

const sqlite: Scheme = Object.assign(
  (url: StoreUrl) =>
    Effect.flatMap(sqliteConfig(url), (config) => Effect.flatMap(sqliteDriver, ({ make }) => make(config))),
  {
    renew: (url: StoreUrl) =>
      Effect.flatMap(
        sqliteConfig(url),
        (config) => Effect.flatMap(sqliteDriver, ({ renewIncarnation }) => renewIncarnation(config))
      )
  }
)

const fileParams = { readonly: flag, segmentBytes: whole, pollInterval: whole }

const fileConfig = (url: StoreUrl) =>
  Effect.flatMap(
    checked(url, fileParams),
    (options) => Effect.map(Effect.fromResult(directoryOf(url)), (path) => ({ path, ...options }))
  )

const fileDriver = Effect.suspend(() => load("file", () => import("@persist/backend-file")))

const file: Scheme = Object.assign(
  (url: StoreUrl) =>
    Effect.flatMap(fileConfig(url), (config) => Effect.flatMap(fileDriver, ({ make }) => make(config))),
  {
    renew: (url: StoreUrl) =>
      Effect.flatMap(
        fileConfig(url),
        (config) => Effect.flatMap(fileDriver, ({ renewIncarnation }) => renewIncarnation(config))
      )
  }
)

const postgresDriver = Effect.suspend(() => load("postgres", () => import("@persist/backend-postgres")))

// Its URL has several hosts and options of connections, so that the driver takes it apart itself.
const postgres: Scheme = Object.assign(
  (url: StoreUrl) => Effect.flatMap(postgresDriver, ({ make }) => make({ url: url.href })),
  {
    renew: (url: StoreUrl) =>
      Effect.flatMap(postgresDriver, ({ renewIncarnation }) => renewIncarnation({ url: url.href }))
  }
)

const checked = <P extends Parameters<typeof readParams>[1]>(url: StoreUrl, known: P) =>
  Effect.suspend(() => Effect.fromResult(readParams(url, known)))

const load = <Module extends object>(
  scheme: string,
  driver: () => Promise<Module>
): Effect.Effect<Module, Unavailable> => {
  const absent = (more: { readonly cause?: unknown }) =>
    new Unavailable({
      operation: "open",
      reason: `the driver of ${scheme}: can't be loaded here`,
      remedy: `install @persist/backend-${scheme} for this platform, or use another scheme`,
      ...more
    })
  const loaded = Effect.tryPromise({ try: driver, catch: (cause) => absent({ cause }) })
  // Bundles for browsers hold an empty module in place of a driver that can't run there.
  return Effect.flatMap(loaded, (module) => "make" in module ? Effect.succeed(module) : Effect.fail(absent({})))
}

const registered = new Map<string, Scheme>(Object.entries({ memory, sqlite, file, postgres, postgresql: postgres }))

/**
 * Adds a scheme for every later `open` of this program. Throws `Invalid` for a name that can't be a scheme, and for one
 * that is taken: two drivers must not fight over a URL.
 */
export const registerScheme = (name: string, scheme: Scheme): void => {
  if (schemeOf(`${name}:`) !== name) {
    throw new Invalid({
      field: "name",
      reason: "is no name for a scheme",
      remedy: "use small letters, digits, +, - and ., beginning with a letter"
    })
  }
  if (registered.has(name)) {
    throw new Invalid({ field: "name", reason: `${name}: is registered already`, remedy: "use another name" })
  }
  registered.set(name, scheme)
}

/**
 * Opens the backend a URL names, by `schemes` or else by those registered; it closes with the scope. `Invalid` for a
 * URL that is empty, has no known scheme, or says what its scheme doesn't understand; otherwise as the scheme says.
 */
export const openUrl = (url: string, schemes: Schemes = {}): Effect.Effect<BackendShape, StoreError, Scope> =>
  Effect.flatMap(understood(url, schemes), ({ parsed, scheme }) => scheme(parsed))

/**
 * Gives the store that a URL names another incarnation, and answers it: an operator's step after a backup was restored,
 * and for a copy that goes its own way. Every checkpoint saved before is then told to be of another history; nothing
 * else is changed. Fails with `Unsupported` where the scheme knows no such thing, otherwise as `openUrl` and as the
 * scheme says.
 */
export const renewIncarnation = (url: string, schemes: Schemes = {}): Effect.Effect<string, StoreError> =>
  Effect.flatMap(understood(url, schemes), ({ parsed, scheme }) =>
    scheme.renew === undefined
      ? Effect.fail(
        new Unsupported({
          backend: parsed.scheme,
          ability: "another incarnation",
          remedy: "make a new store and import what is to be in it"
        })
      )
      : scheme.renew(parsed))

const understood = (
  url: string,
  schemes: Schemes
): Effect.Effect<{ readonly parsed: StoreUrl; readonly scheme: Scheme }, Invalid> =>
  Effect.suspend(() => {
    const known = new Map([...registered, ...Object.entries(schemes)])
    const remedy = `write one of ${Array.from(known.keys(), (name) => `${name}:`).join(", ")}`
    if (typeof url !== "string" || url === "") return Effect.fail(urlFault("is no URL of a store", remedy))
    const name = schemeOf(url)
    if (name === undefined) return Effect.fail(urlFault("has no scheme", `${remedy} before the path`))
    const scheme = known.get(name)
    if (scheme === undefined) return Effect.fail(urlFault(`${name}: is no scheme of a store`, remedy))
    return Effect.map(Effect.fromResult(parseUrl(name, url)), (parsed) => ({ parsed, scheme }))
  })
