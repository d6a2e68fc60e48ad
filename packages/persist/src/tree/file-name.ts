/** Names as names of files: readable where they can be, and no two names in one file, on whatever file system. */
import { createHash } from "node:crypto"

/** Where a name's file is. */
export interface NamedPath {
  /** Segments joined by `/`, relative, without an extension. */
  readonly path: string
  /** Whether the name can be read from it; a name too long for that stands in the file itself. */
  readonly whole: boolean
}

// Two of these paths must fit into 1,024 bytes, which is all that some systems take, and a segment with what is added
// to it into 255.
const segmentBytes = 120
const pathBytes = 400

/**
 * The path of a key or stream: `/` makes directories, ordinary characters stay as they are, and all others are
 * percent-encoded. What no file system confuses any more when upper and lower case, or composed and decomposed
 * characters, are the same to it; and nothing that means something else to one: `..`, `.git`, `CON`, `a:b`.
 */
export const pathOf = (name: string): NamedPath => {
  const segments = name.split(betweenSegments).map(segmentOf)
  const path = segments.join("/")
  return segments.every((segment) => Buffer.byteLength(segment) <= segmentBytes) && Buffer.byteLength(path) <= pathBytes
    ? { path, whole: true }
    : { path: digestOf(name), whole: false }
}

/** The directory of a namespace: the same, as a single segment. */
export const directoryOf = (namespace: string): NamedPath => {
  const path = segmentOf(namespace)
  return Buffer.byteLength(path) <= segmentBytes
    ? { path, whole: true }
    : { path: digestOf(namespace), whole: false }
}

/** The name that a path was made of; `undefined` where it can't be read from it, or where no name has this path. */
export const nameOf = (path: string): string | undefined => {
  const name = decoded(path)
  return name !== undefined && name !== "" && pathOf(name).path === path ? name : undefined
}

/** The same for the directory of a namespace. */
export const namespaceOf = (directory: string): string | undefined => {
  const name = decoded(directory)
  return name !== undefined && name !== "" && directoryOf(name).path === directory ? name : undefined
}

/** The name that somebody meant who wrote a file's name by hand, as far as that can be told. */
export const meantBy = (path: string): string | undefined => decoded(path)

// A slash at an end, or beside another one, makes no directory: an empty name is none.
const betweenSegments = /(?<=[^/])\/(?=[^/])/

const capitalsSign = ",c"
const digestSign = ",x"

const digestOf = (name: string): string => {
  const start = name.slice(0, 32).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")
  return `${start}${digestSign}${createHash("sha256").update(name).digest("hex")}`
}

// Devices of Windows, whatever their extension.
const reserved = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\.|$)/i

// What ends like our files could be one of them and a directory at once.
const ownExtension = /\.(json|ndjson|bin)$/i

// Most names need nothing of what follows.
const ordinary = /^[a-z0-9_=+@#-]+(\.[a-z0-9_=+@#-]+)*$/

const segmentOf = (text: string): string =>
  ordinary.test(text) && !reserved.test(text) && !ownExtension.test(text) ? text : encoded(text)

const encoded = (text: string): string => {
  const points = Array.from(text)
  const last = points.length - 1
  const dot = ownExtension.exec(text)
  const dotAt = dot === null ? -1 : Array.from(text.slice(0, dot.index)).length
  const escapedFirst = /^[. ]/.test(text) || reserved.test(text)
  let written = ""
  let capitals = 0n
  let letters = 0n
  for (const [at, point] of points.entries()) {
    const escaped = at === dotAt || (at === 0 && escapedFirst) || (at === last && (point === "." || point === " "))
    const lower = escaped ? undefined : lowerOf(point)
    if (lower !== undefined) {
      if (lower !== point) capitals |= 1n << letters
      letters++
      written += point
    } else written += !escaped && plain.test(point) ? point : percent(point)
  }
  // A file system that takes upper for lower case still tells names apart by which of their letters are capitals.
  return capitals === 0n ? written : `${written}${capitalsSign}${capitals.toString(16)}`
}

const plain = /[0-9\-_.=+@#()[\]{}!&;$' ]/

const percent = (point: string): string =>
  Array.from(Buffer.from(point), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")

// Letters of the world's scripts that have been the same in every version of Unicode a file system may know; marks,
// which combine, aren't among them.
const letters = new RegExp(
  "^[a-z\u00df-\u024f\u0390-\u03ff\u0430-\u052f\u05d0-\u05ea\u0620-\u064a\u0904-\u0939\u0e01-\u0e2e" +
    "\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fd5\uac00-\ud7a3]$"
)

/** The lower case of a letter that may stay as it is: one that every way of folding and composing treats alike. */
const lowerOf = (point: string): string | undefined => {
  const lower = point.toLowerCase()
  if (!letters.test(lower) || lower.normalize("NFKC") !== lower || point.normalize("NFKC") !== point) return undefined
  const upper = lower.toUpperCase()
  return (point === lower || point === upper) && upper.toLowerCase() === lower ? lower : undefined
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const decoded = (path: string): string | undefined => {
  const segments = path.split("/").map((segment) => segment.replace(/,c[0-9a-f]+$/, ""))
  const bytes: Array<number | string> = []
  for (const part of segments.join("/").split(/(%[0-9a-f]{2})/)) {
    bytes.push(part.startsWith("%") && part.length === 3 ? Number.parseInt(part.slice(1), 16) : part)
  }
  try {
    return utf8.decode(
      Buffer.concat(bytes.map((part) => typeof part === "number" ? Buffer.of(part) : Buffer.from(part)))
    )
  } catch {
    return undefined
  }
}
