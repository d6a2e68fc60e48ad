/** Values as text whose order is theirs: what the keys of an index are made of. */
import type { Kind, Scalar } from "./scalar.ts"
import { kindOf } from "./scalar.ts"

// One character before each value; those from `number` on are followed by text up to an end.
const tags: Readonly<Record<Kind | "true", string>> = {
  absent: "0",
  null: "1",
  boolean: "2",
  true: "3",
  number: "4",
  time: "5",
  text: "6"
}

// The end of a value is below anything it could go on with: within a text NUL is written otherwise.
const end = "\0"
const escape = "\x01"

/**
 * Writes a value so that the order of two of them by UTF-8 bytes is that of `compareScalars`, also where anything
 * follows them; no one is what another begins with. `undefined` for what has no order and for texts with a lone
 * surrogate, which no key can hold.
 */
export const encodeScalar = (value: unknown): string | undefined => {
  const kind = kindOf(value)
  // What has a kind is a scalar.
  return kind === undefined ? undefined : encodeKind(kind, value as Scalar)
}

const encodeKind = (kind: Kind, value: Scalar): string | undefined => {
  switch (kind) {
    case "boolean":
      return value === true ? tags.true : tags.boolean
    case "number":
    case "time":
      return tags[kind] + numberText(Number(value)) + end
    case "text": {
      const text = String(value)
      return text.isWellFormed() ? textStart(text) + end : undefined
    }
    default:
      return tags[kind]
  }
}

/** What every text is written with, at its beginning, that begins with `start`. */
export const textStart = (start: string): string => tags.text + escaped(start)

/** The bounds of all values of a kind that is written up to an end: from the first on, and below the second. */
export const boundsOf = (kind: "number" | "time" | "text"): readonly [gte: string, lt: string] => [
  tags[kind],
  String.fromCharCode(tags[kind].charCodeAt(0) + 1)
]

/** What follows the first `count` values of a key. */
export const afterValues = (key: string, count: number): string => {
  let at = 0
  for (let i = 0; i < count; i++) at = key.charAt(at) < tags.number ? at + 1 : key.indexOf(end, at) + 1
  return key.slice(at)
}

const escaped = (text: string): string =>
  text.includes(end) || text.includes(escape)
    ? text.replaceAll(escape, `${escape}\x02`).replaceAll(end, `${escape}\x01`)
    : text

const view = new DataView(new ArrayBuffer(8))

// The bits of a double order as the numbers do once negative ones are turned over. Zeros at the end say nothing, since
// the end of the value is below them, and whole numbers have many.
const numberText = (n: number): string => {
  // Adding zero makes 0 of -0.
  view.setFloat64(0, n + 0)
  const [high, low] = [view.getUint32(0), view.getUint32(4)]
  const negative = high >= 0x80000000
  return (word(negative ? ~high : high ^ 0x80000000) + word(negative ? ~low : low)).replace(/0+$/, "")
}

const word = (bits: number): string => (bits >>> 0).toString(16).padStart(8, "0")
