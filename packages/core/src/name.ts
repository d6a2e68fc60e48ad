/** Names of streams, keys, namespaces, event types and commits: any non-empty Unicode string, never normalised. */
import { Invalid, LimitExceeded } from "./error.ts"
import { utf8Bytes } from "./payload.ts"

/** Names that start with this sign are the store's own: `$snapshot`, `$checkpoint` and the like. */
export const reservedSign = "$"

/** Whether a name belongs to the store itself; what is no string is no name, and refused elsewhere. */
export const isReserved = (name: unknown): boolean => typeof name === "string" && name.startsWith(reservedSign)

/**
 * Why a value can't be a name, or `undefined` where it can.
 * `Invalid` for anything but a non-empty string without lone surrogates, `LimitExceeded` above `limit` UTF-8 bytes.
 */
export const nameFault = (field: string, value: unknown, limit: number): Invalid | LimitExceeded | undefined => {
  if (typeof value !== "string") {
    return new Invalid({ field, reason: `expected a string, got ${typeof value}`, remedy: "pass a non-empty string" })
  }
  if (value === "") {
    return new Invalid({ field, reason: "an empty string is no name", remedy: "pass a non-empty string" })
  }
  if (!value.isWellFormed()) {
    return new Invalid({
      field,
      reason: "contains a lone surrogate, which no UTF-8 store can keep",
      remedy: "pass well-formed Unicode, for example through String.prototype.toWellFormed"
    })
  }
  // Three bytes a unit is the most UTF-8 can take, so short names need no count.
  if (value.length * 3 <= limit) return undefined
  const actual = utf8Bytes(value)
  if (actual <= limit) return undefined
  return new LimitExceeded({ field, limit, actual, unit: "bytes", remedy: "use a shorter name" })
}

/** Orders two strings by their UTF-8 bytes: the order of their code points, and of the keys of every backend. */
export const compareUtf8 = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return codePointRank(x) - codePointRank(y)
  }
  return a.length - b.length
}

// In UTF-16 the surrogates (astral characters) sort below U+E000..U+FFFF; in UTF-8 they sort above.
const codePointRank = (unit: number): number => unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit

/** The smallest string above another in the order of UTF-8 bytes. */
export const successor = (name: string): string => `${name}\0`

/** The smallest string above every string with this prefix, or `undefined` where there is none. */
export const prefixEnd = (prefix: string): string | undefined => {
  const points = Array.from(prefix)
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const next = nextCodePoint(last.codePointAt(0) ?? 0)
    if (next !== undefined) return points.join("") + String.fromCodePoint(next)
  }
  return undefined
}

const nextCodePoint = (point: number): number | undefined =>
  point === 0x10ffff ? undefined : point === 0xd7ff ? 0xe000 : point + 1

/** The refusal to let anybody but the store itself write under a reserved name. */
export const reservedFault = (field: string, name: string): Invalid =>
  new Invalid({
    field,
    reason: `names that start with ${reservedSign} are the store's own, such as ${JSON.stringify(name)}`,
    remedy: `choose a name that does not start with ${reservedSign}`
  })
