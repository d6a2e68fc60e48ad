/** What a store's URL says: `scheme:path?name=value`. It may hold credentials, so nothing prints it whole. */
import { Invalid } from "@persist/core"
import * as Result from "effect/Result"

/**
 * A store's URL taken apart. Credentials may be in `href` and `path`; printing or serialising the object shows neither,
 * and no error of ours repeats them.
 */
export class StoreUrl {
  /** In lower case, without the colon. */
  readonly scheme: string
  readonly #path: string
  readonly #params: ReadonlyMap<string, string>
  readonly #href: string

  constructor(scheme: string, path: string, params: ReadonlyMap<string, string>, href: string) {
    this.scheme = scheme
    this.#path = path
    this.#params = params
    this.#href = href
  }

  /** What stands between the scheme and the query, percent-decoded. */
  get path(): string {
    return this.#path
  }

  /** The query's parameters, each once. */
  get params(): ReadonlyMap<string, string> {
    return this.#params
  }

  /** The URL as it was given. */
  get href(): string {
    return this.#href
  }
}

/** What may be wrong with a URL, told without repeating it. */
export const urlFault = (reason: string, remedy: string): Invalid => new Invalid({ field: "url", reason, remedy })

/** The scheme a text opens with, in lower case; `undefined` where it has none. */
export const schemeOf = (text: string): string | undefined => /^[a-z][a-z0-9+.-]*(?=:)/i.exec(text)?.[0].toLowerCase()

/** Takes a URL with a scheme apart; `Invalid` for broken percent signs and a parameter given twice. */
export const parseUrl = (scheme: string, href: string): Result.Result<StoreUrl, Invalid> => {
  const rest = href.slice(scheme.length + 1)
  const query = rest.indexOf("?")
  const path = decode(query === -1 ? rest : rest.slice(0, query))
  if (path === undefined) return Result.fail(urlFault("a percent sign that encodes nothing", "write it as %25"))
  const params = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(query === -1 ? "" : rest.slice(query + 1))) {
    if (params.has(name)) return Result.fail(paramFault(name, "is given twice", "give it once"))
    params.set(name, value)
  }
  return Result.succeed(new StoreUrl(scheme, path, params, href))
}

/** The directory that a `file:` URL names; `Invalid` where it names none, or a host. */
export const directoryOf = ({ path }: StoreUrl): Result.Result<string, Invalid> => {
  // `file:///var/data` is what others write for `file:/var/data`.
  const local = path.startsWith("///") ? path.slice(2) : path
  if (local === "") return Result.fail(urlFault("no directory is named", "write file:path"))
  return local.startsWith("//")
    ? Result.fail(urlFault("a directory has no host", "write file:path or file:///absolute/path"))
    : Result.succeed(local)
}

const decode = (text: string): string | undefined => Result.getOrUndefined(Result.try(() => decodeURIComponent(text)))

const paramFault = (name: string, reason: string, remedy: string): Invalid =>
  new Invalid({ field: `url?${name}`, reason, remedy })

/** One kind of parameter: how its value is read (`undefined`: not like this), and what it must be. */
export interface Param<A> {
  readonly read: (text: string) => A | undefined
  readonly expected: string
}

/** A parameter that is `true` or `false`. */
export const flag: Param<boolean> = {
  read: (text) => text === "true" ? true : text === "false" ? false : undefined,
  expected: "true or false"
}

/** A parameter that is a whole number. */
export const whole: Param<number> = {
  read: (text) => /^\d{1,15}$/.test(text) ? Number(text) : undefined,
  expected: "a whole number"
}

/** A parameter that is one of several words. */
export const oneOf = <A extends string>(...words: ReadonlyArray<A>): Param<A> => ({
  read: (text) => words.find((word) => word === text),
  expected: words.join(", ")
})

/** The values of a scheme's parameters, those that were given. */
export type Params<P> = { readonly [K in keyof P]?: P[K] extends Param<infer A> ? A : never }

/** Reads a URL's parameters; `Invalid` for one that the scheme doesn't know, and for a value it can't read. */
export const readParams = <P extends { readonly [name: string]: Param<unknown> }>(
  { params, scheme }: StoreUrl,
  known: P
): Result.Result<Params<P>, Invalid> => {
  const values: Record<string, unknown> = {}
  for (const [name, text] of params) {
    const param = Object.hasOwn(known, name) ? known[name] : undefined
    if (param === undefined) {
      const names = Object.keys(known)
      const remedy = names.length === 0 ? "leave it out" : `use ${names.join(", ")}`
      return Result.fail(paramFault(name, `${scheme}: has no such parameter`, remedy))
    }
    const value = param.read(text)
    if (value === undefined) return Result.fail(paramFault(name, "has another kind of value", `pass ${param.expected}`))
    values[name] = value
  }
  return Result.succeed(values as Params<P>) // each was read by its own parameter
}
