/** Values as messages show them: JSON where they are JSON, and what comes next to it where they aren't. */
import type { Event } from "@persist/core"
import { pathOf } from "@persist/core/path"
import { absent } from "./difference.ts"

/** Longest text of one value in a message, in UTF-16 units. */
const longest = 400

/** A value as text, whole. */
export const textOf = (value: unknown): string => written(value, new Set())

/** A text as a message shows it: cut where it's too long. */
export const cut = (text: string): string =>
  text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text

/** A value as a message shows it. */
export const shown = (value: unknown): string => cut(textOf(value))

/** An event as a message shows it: where it is, its type and its data. */
export const eventShown = ({ data, seq, stream, type }: Event): string =>
  `event ${seq} of stream ${JSON.stringify(stream)}, ${type} ${shown(data)}`

/** A place inside a value: `total`, `items[0].sku`, or the name of the whole. */
export const placeShown = (whole: string, keys: ReadonlyArray<string | number>): string =>
  keys.length === 0 ? whole : pathOf("", keys).replace(/^\./, "")

const written = (value: unknown, holders: Set<unknown>): string => {
  if (value === absent) return "nothing"
  if (typeof value === "bigint") return `${value}n`
  if (typeof value === "number") return String(value)
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? String(value)
  if (value instanceof Date) return `Date ${Number.isNaN(value.getTime()) ? "invalid" : value.toISOString()}`
  if (ArrayBuffer.isView(value)) return bytesWritten(value)
  if (holders.has(value)) return "(itself)"
  holders.add(value)
  const text = partsWritten(value, holders)
  holders.delete(value)
  return text
}

const partsWritten = (value: object, holders: Set<unknown>): string => {
  const list = (items: Iterable<unknown>) => Array.from(items, (item) => written(item, holders)).join(",")
  if (Array.isArray(value)) return `[${list(value)}]`
  if (value instanceof Set) return `Set {${list(value)}}`
  const pairs = (entries: Iterable<readonly [unknown, unknown]>) =>
    Array.from(entries, ([key, part]) => `${written(key, holders)}:${written(part, holders)}`).join(",")
  if (value instanceof Map) return `Map {${pairs(value)}}`
  const fields = `{${pairs(Object.entries(value).filter(([, part]) => part !== undefined))}}`
  if (value instanceof Error) {
    return `${value.name} ${JSON.stringify(value.message)}${fields === "{}" ? "" : ` ${fields}`}`
  }
  const maker: unknown = value.constructor
  return typeof maker === "function" && maker !== Object ? `${maker.name} ${fields}` : fields
}

const bytesWritten = ({ buffer, byteLength, byteOffset }: ArrayBufferView): string =>
  `bytes [${Array.from(new Uint8Array(buffer, byteOffset, byteLength)).join(",")}]`
