/** Where a page of a query ended, as text that whoever asks for the next one hands back. */
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import { textDigest } from "./digest.ts"
import { Invalid } from "./error.ts"
import { parseJson } from "./json.ts"
import type { Condition, Sorting } from "./query-filter.ts"
import type { Plan } from "./query-plan.ts"

/**
 * The place of an item in the order of its query: the key that was read, where keys come in that order; else the
 * values that it is sorted by, as an index would have them, and the state's key.
 */
export type Place = ReadonlyArray<string>

/** What a cursor is bound to: the same filters, order and index of the same read model, whatever the page's size. */
export const fingerprintOf = (
  namespace: string,
  { index }: Plan,
  conditions: ReadonlyArray<Condition>,
  sorting: ReadonlyArray<Sorting>
): string =>
  textDigest(JSON.stringify([
    namespace,
    index === undefined ? null : [index.name, index.on, index.unique],
    conditions.map(({ encoded, field, operator }) => JSON.stringify([field, operator, encoded])).sort(),
    sorting.map(({ descending, field }) => [field, descending])
  ]))

/** Writes a cursor. */
export const writeCursor = (fingerprint: string, place: Place): string =>
  Base64Url.encode(JSON.stringify([fingerprint, ...place]))

/** Reads a cursor of a query whose places have so many parts; `Invalid` for what is none, or another query's. */
export const readCursor = (fingerprint: string, parts: number, cursor: unknown): Result.Result<Place, Invalid> => {
  const text = typeof cursor === "string" ? Result.getOrUndefined(Base64Url.decodeString(cursor)) : undefined
  const json = text === undefined ? undefined : Result.getOrUndefined(parseJson("after", text))
  if (!Array.isArray(json) || !json.every((part) => typeof part === "string" && part.isWellFormed())) {
    return Result.fail(refusal("is no cursor"))
  }
  const [own, ...place] = json
  return own === fingerprint && place.length === parts
    ? Result.succeed(place)
    : Result.fail(refusal("is a cursor of another query"))
}

const refusal = (reason: string): Invalid =>
  new Invalid({
    field: "after",
    reason,
    remedy: "pass the `next` of a page of the same query, or leave it out to begin again"
  })
