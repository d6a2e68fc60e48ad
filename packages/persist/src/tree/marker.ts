/** What makes a directory a tree: which store it is of, and up to which position. */
import { type About, Invalid, Unsupported } from "@persist/core"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { jsonText } from "./file-object.ts"
import { markerPath } from "./tree-path.ts"

/** The marker of a tree. One that was made by hand may say no more than the format and its version. */
export interface Marker {
  /** The history of the store that the tree is of. */
  readonly incarnation?: string
  /** Everything at or below it is in the tree; absent where the tree isn't whole. */
  readonly position?: number
}

const format = "persist tree"
const version = 1

/** A marker as the content of its file. */
export const markerText = (marker: Marker): string => `${JSON.stringify({ format, version, ...marker }, null, 2)}\n`

const Stored = Schema.Struct({
  format: Schema.Literal(format),
  version: Schema.Int,
  incarnation: Schema.optionalKey(Schema.String),
  position: Schema.optionalKey(Schema.Natural)
})

/** Reads a marker; `Invalid` where it is none, `Unsupported` where it's one of a newer version. */
export const readMarker = (content: Uint8Array): Result.Result<Marker, Invalid | Unsupported> => {
  const text = jsonText(markerPath, content)
  if (Result.isFailure(text)) return Result.fail(text.failure)
  const read = Schema.decodeUnknownResult(Stored)(JSON.parse(text.success))
  if (Result.isFailure(read)) return Result.fail(noMarker)
  if (read.success.version > version) return Result.fail(newer)
  const { incarnation, position } = read.success
  return Result.succeed({
    ...(incarnation === undefined ? {} : { incarnation }),
    ...(position === undefined ? {} : { position })
  })
}

const noMarker = new Invalid({
  field: markerPath,
  reason: "isn't the marker of a tree",
  remedy: `restore it, or write {"format":"${format}","version":${version}} where the tree was made by hand`
})

const newer = new Unsupported({
  backend: "tree",
  ability: `the format of ${markerPath}`,
  remedy: "it was written by a newer version of persist: use that"
})

/**
 * Up to which position a tree and a store agree on what was there; `undefined` where nothing is known of it: the tree
 * is of another store, of another history of this one, or not whole.
 */
export const commonPosition = ({ incarnation, position }: Marker, about: About, head: number): number | undefined =>
  incarnation === about.incarnation && position !== undefined && position <= head ? position : undefined
