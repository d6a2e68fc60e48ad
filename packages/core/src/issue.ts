/** What a schema has against a value, as a place and a reason, without repeating the value. */
import * as SchemaIssue from "effect/SchemaIssue"
import { pathOf } from "./path.ts"

/** Where in the value the fault lies, from `root` on, and what was expected there. */
export interface Explanation {
  readonly path: string
  readonly reason: string
}

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) =>
    issue._tag === "UnexpectedKey"
      ? "the schema doesn't name it, so it would be lost"
      : SchemaIssue.defaultLeafHook(issue)
})

/** Most alternatives that are told apart where none of a union's members fits. */
const mostReasons = 3

/** Explains an issue found without `reportInput`: the place all its parts share, and what each of them says. */
export const explainIssue = (root: string, issue: SchemaIssue.Issue): Explanation => {
  const faults = format(issue).issues.map(({ message, path }) => ({ message: sentence(message), keys: keysOf(path) }))
  const common = commonKeys(faults.map(({ keys }) => keys))
  const reasons = new Set(faults.map(({ keys, message }) => {
    const below = keys.slice(common.length)
    return below.length === 0 ? message : `${message} at ${pathOf("", below)}`
  }))
  const shown = Array.from(reasons).slice(0, mostReasons).join(" or ")
  return { path: pathOf(root, common), reason: reasons.size > mostReasons ? `${shown} or …` : shown }
}

// The formatter's own messages open sentences; here they follow a colon.
const sentence = (message: string): string =>
  /^(Expected|Missing|Forbidden) /.test(message) ? message.charAt(0).toLowerCase() + message.slice(1) : message

const keysOf = (
  path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
): ReadonlyArray<PropertyKey> => (path ?? []).map((part) => typeof part === "object" ? part.key : part)

const commonKeys = (paths: ReadonlyArray<ReadonlyArray<PropertyKey>>): ReadonlyArray<PropertyKey> => {
  const [first = [], ...rest] = paths
  const end = first.findIndex((key, i) => rest.some((keys) => keys[i] !== key))
  return end === -1 ? first : first.slice(0, end)
}
