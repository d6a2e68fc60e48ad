/** What makes one JSON value of another, as a JSON Patch (RFC 6902) that also says what was there before. */
import type { Json } from "./json.ts"

/**
 * One step of a JSON Patch. `path` is a JSON Pointer (RFC 6901). `before` is what was at it, a member that the RFC has
 * appliers pass over.
 */
export type PatchOperation =
  | { readonly op: "add"; readonly path: string; readonly value: Json }
  | { readonly op: "remove"; readonly path: string; readonly before: Json }
  | { readonly op: "replace"; readonly path: string; readonly value: Json; readonly before: Json }

/**
 * The steps that make `after` of `before`, in the order in which they are to be applied; none where they are equal. Of
 * two arrays what they begin and end with in common stays where it is, and what lies between is compared place by
 * place.
 */
export const patchOf = (before: Json, after: Json): ReadonlyArray<PatchOperation> => {
  const patch: Array<PatchOperation> = []
  compare("", before, after, patch)
  return patch
}

type JsonArray = ReadonlyArray<Json>
type JsonObject = { readonly [key: string]: Json }

const isArray = (value: Json): value is JsonArray => Array.isArray(value)

const isObject = (value: Json): value is JsonObject => typeof value === "object" && value !== null && !isArray(value)

const compare = (path: string, before: Json, after: Json, patch: Array<PatchOperation>): void => {
  if (isArray(before) && isArray(after)) return compareArrays(path, before, after, patch)
  if (isObject(before) && isObject(after)) return compareObjects(path, before, after, patch)
  if (!isEqual(before, after)) patch.push({ op: "replace", path, value: after, before })
}

const compareObjects = (path: string, before: JsonObject, after: JsonObject, patch: Array<PatchOperation>): void => {
  for (const [key, value] of Object.entries(before)) {
    const place = `${path}/${escaped(key)}`
    const now = own(after, key)
    if (now === undefined) patch.push({ op: "remove", path: place, before: value })
    else compare(place, value, now, patch)
  }
  for (const [key, value] of Object.entries(after)) {
    if (own(before, key) === undefined) patch.push({ op: "add", path: `${path}/${escaped(key)}`, value })
  }
}

// What an object inherits is none of its members.
const own = (object: JsonObject, key: string): Json | undefined => Object.hasOwn(object, key) ? object[key] : undefined

const escaped = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1")

const compareArrays = (path: string, before: JsonArray, after: JsonArray, patch: Array<PatchOperation>): void => {
  const shorter = Math.min(before.length, after.length)
  let start = 0
  while (start < shorter && isEqual(before[start], after[start])) start++
  let end = 0
  while (end < shorter - start && isEqual(before.at(-1 - end), after.at(-1 - end))) end++
  const [old, now] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  for (const [i, value] of now.entries()) {
    const was = old[i]
    const place = `${path}/${start + i}`
    // Places ascend, so that each is right when the ones before it were applied.
    if (was === undefined) patch.push({ op: "add", path: place, value })
    else compare(place, was, value, patch)
  }
  for (let i = old.length - 1; i >= now.length; i--) {
    const was = old[i]
    if (was !== undefined) patch.push({ op: "remove", path: `${path}/${start + i}`, before: was })
  }
}

const isEqual = (a: Json | undefined, b: Json | undefined): boolean => {
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (isArray(a)) return isArray(b) && a.length === b.length && a.every((item, i) => isEqual(item, b[i]))
  if (isArray(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => isEqual(own(a, key), own(b, key)))
}
