/** What a PostgreSQL URL says: who, where, how, and the options that may stand in its query. It's never repeated. */
import { Invalid } from "@persist/core"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import type { ConnectionOptions } from "node:tls"
import type { Config } from "./config.ts"

/** A server's address; a `host` that begins with a slash is the directory of its socket. */
export interface Host {
  readonly host: string
  readonly port: number
}

/** How connections are encrypted, as Node's TLS has it; `false` for not at all. */
export type Tls = ConnectionOptions | false

/** What it takes to connect. What isn't said is left to the driver, which asks `PGUSER`, `PGPASSWORD` and the like. */
export interface Access {
  readonly hosts: ReadonlyArray<Host>
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: string | undefined
  readonly tls: Tls
  readonly application: string
}

/** The options that a query may say, beside what it takes to connect. */
export type Options = { -readonly [K in Exclude<keyof Config, "url">]?: Config[K] }

const defaultPort = 5432

/** Takes a URL apart; throws `Invalid`, which names the part that is wrong. */
export const readAccess = (url: string): { readonly access: Access; readonly options: Options } => {
  if (/^[^:]*:\/\/[^?#]*\/[^?#]*@/.test(url)) throw unencoded()
  const parts = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/i.exec(url)
  if (parts === null) {
    throw fault(
      "is no URL of PostgreSQL",
      "write postgres://user:password@host:5432/database, percent-encoding the rest"
    )
  }
  const [, credentials = "", authority = "", database = "", query = ""] = parts
  const params = readQuery(query)
  const [user = "", ...password] = credentials.split(":")
  const hosts = readHosts(params.get("host") ?? decode(authority))
  const access: Access = {
    hosts,
    user: optional(decode(user)),
    password: password.length === 0 ? undefined : decode(password.join(":")),
    database: optional(decode(database)),
    tls: readTls(params),
    application: params.get("application_name") ?? "persist"
  }
  return { access, options: readOptions(params) }
}

const fault = (reason: string, remedy: string): Invalid => new Invalid({ field: "url", reason, remedy })

const unencoded = (): Invalid =>
  fault(
    "has an @ behind a / or a ?",
    "percent-encode those in a password (%2F, %3F), and an @ that isn't the one before the host (%40)"
  )

const paramFault = (name: string, reason: string, remedy: string): Invalid =>
  new Invalid({ field: `url?${name}`, reason, remedy })

const optional = (text: string): string | undefined => text === "" ? undefined : text

const decode = (text: string): string =>
  Result.getOrThrowWith(
    Result.try(() => decodeURIComponent(text)),
    () => fault("a percent sign that encodes nothing", "write it as %25")
  )

const readQuery = (query: string): ReadonlyMap<string, string> => {
  const params = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query)) {
    if (params.has(name)) throw paramFault(name, "is given twice", "give it once")
    if (!paramNames.has(name)) {
      // It may be a part of a password.
      if (query.includes("@")) throw unencoded()
      throw paramFault(name, "postgres: has no such parameter", `use ${[...paramNames].join(", ")}`)
    }
    params.set(name, value)
  }
  return params
}

const readHosts = (text: string): ReadonlyArray<Host> =>
  text.split(",").map((each) => {
    if (each.startsWith("/")) return { host: each, port: defaultPort }
    const parts = /^(\[[^\]]+\]|[^:[\]]*)(?::(\d+))?$/.exec(each)
    const port = Number(parts?.[2] ?? defaultPort)
    if (parts === null || port < 1 || port > 65_535) {
      throw fault("a host that is none", "write host:port, several with commas between them")
    }
    const host = (parts[1] ?? "").replace(/^\[|\]$/g, "")
    return { host: host === "" ? "localhost" : host, port }
  })

const modes = ["disable", "require", "verify-ca", "verify-full"]

const readTls = (params: ReadonlyMap<string, string>): Tls => {
  const mode = params.get("sslmode") ?? "disable"
  if (!modes.includes(mode)) throw paramFault("sslmode", "has another kind of value", `pass ${modes.join(", ")}`)
  if (mode === "disable") {
    const idle = ["sslrootcert", "sslcert", "sslkey"].find((name) => params.has(name))
    if (idle !== undefined) {
      throw paramFault(idle, "is of no use without TLS", "add sslmode=verify-full, or leave it out")
    }
    return false
  }
  return {
    rejectUnauthorized: mode !== "require",
    ...(mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
    ...readFile(params, "sslrootcert", "ca"),
    ...readFile(params, "sslcert", "cert"),
    ...readFile(params, "sslkey", "key")
  }
}

const readFile = (params: ReadonlyMap<string, string>, name: string, option: "ca" | "cert" | "key") => {
  const path = params.get(name)
  if (path === undefined) return {}
  const content = Result.try(() => readFileSync(path, "utf8"))
  if (Result.isFailure(content)) throw paramFault(name, "the file can't be read", "correct the path or its permissions")
  return { [option]: content.success }
}

const readOptions = (params: ReadonlyMap<string, string>): Options => {
  const options: Options = {}
  const schema = params.get("schema")
  if (schema !== undefined) options.schema = schema
  for (const name of flags) {
    const text = params.get(name)
    if (text === undefined) continue
    if (text !== "true" && text !== "false") throw paramFault(name, "has another kind of value", "pass true or false")
    options[name] = text === "true"
  }
  for (const name of wholes) {
    const text = params.get(name)
    if (text === undefined) continue
    if (!/^\d{1,15}$/.test(text)) throw paramFault(name, "has another kind of value", "pass a whole number")
    options[name] = Number(text)
  }
  return options
}

const flags = ["readonly", "direct"] as const
const wholes = ["readers", "timeout", "lockTimeout", "reconnectWithin", "pollInterval"] as const

const paramNames = new Set([
  "schema",
  ...flags,
  ...wholes,
  "host",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "application_name"
])
