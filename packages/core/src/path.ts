/** Names a place inside a value, the way errors show it: `data.items[0].sku`. */

/** Longest key and longest path that are shown whole, in UTF-16 units; beyond it an ellipsis stands for the rest. */
const longestKey = 64
const longestPath = 256

/** Writes `field` and the keys below it as one path; keys that are no identifiers are quoted, long ones are cut. */
export const pathOf = (field: string, keys: Iterable<PropertyKey>): string => {
  let path = field
  for (const key of keys) {
    if (path.length > longestPath) return `${path}…`
    path += segment(key)
  }
  return path
}

/** A name in quotes, as errors show it; a long one is cut. */
export const quoted = (name: string): string =>
  name.length > longestKey ? `${JSON.stringify(name.slice(0, longestKey))}…` : JSON.stringify(name)

const segment = (key: PropertyKey): string => {
  if (typeof key === "number") return `[${key}]`
  if (typeof key === "symbol") return `[${String(key)}]`
  return key.length <= longestKey && /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${quoted(key)}]`
}
