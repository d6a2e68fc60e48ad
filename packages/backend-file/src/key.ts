/** Keys of the index: a tag, names and numbers as bytes whose order is the order of what they say. */

declare const brand: unique symbol

/**
 * Bytes in a string, one code unit each: `<` orders keys by their bytes, and a `Map` finds them.
 * Made by {@link keyOf} and {@link startOf} alone.
 */
export type Key = string & { readonly [brand]: "Key" }

/**
 * The key of a tag (one ASCII character) and its parts: names of any Unicode but lone surrogates, and safe integers
 * from 0. Keys of one tag and parts of the same kinds are ordered part by part, names by their UTF-8 bytes; no two
 * are the same unless all parts are. It is also what every key starts with that has these parts and more.
 */
export const keyOf = (tag: string, ...parts: ReadonlyArray<string | number>): Key => {
  let key = tag
  for (const part of parts) key += typeof part === "number" ? numberBytes(part) : nameBytes(part) + nameEnd
  return branded(key)
}

/** What the keys under `key` start with whose next part is a name that starts with `prefix`. */
export const startOf = (key: Key, prefix: string): Key => branded(key + nameBytes(prefix))

/** The upper bound of a range that begins at `prefix`: above every key that starts with it, below every other one. */
export const endOf = (prefix: Key): Key => {
  let last = prefix.length - 1
  while (prefix.charCodeAt(last) === 0xff) last--
  return branded(prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1))
}

/** The range of every key there can be. */
export const everyKey: { readonly gte: Key; readonly lt: Key } = {
  gte: "" as Key, // no bytes at all
  lt: "\u0100" as Key // above any byte
}

/** How many bytes of a key its tag and first name take, all of it where it has no more: its head. */
export const headLength = (key: Key): number => {
  const end = key.indexOf(nameEnd)
  return end < 0 ? key.length : end + nameEnd.length
}

/**
 * The head that all keys of a range have in common, `undefined` where they may have different ones. A key's head is
 * what its first bytes up to the end of a name are, so whatever starts with a head has it.
 */
export const headOf = (gte: Key, lt: Key): Key | undefined => {
  const length = headLength(gte)
  if (length === gte.length && !gte.endsWith(nameEnd)) return undefined
  const head = branded(gte.slice(0, length))
  return lt <= endOf(head) ? head : undefined
}

/** A part read from a key, and where the next one begins. */
export interface Part<A> {
  readonly value: A
  readonly end: number
}

/** Where the first part of every key begins: after its tag. */
export const firstPart = 1

/** Reads the name that begins at an offset of a key. */
export const nameAt = (key: Key, at: number): Part<string> => {
  const end = key.indexOf(nameEnd, at)
  const bytes = key.slice(at, end)
  return {
    value: plain.test(bytes) ? bytes : Buffer.from(bytes.replaceAll(escapedZero, "\0"), "latin1").toString(),
    end: end + nameEnd.length
  }
}

/** Reads the number that begins at an offset of a key. */
export const numberAt = (key: Key, at: number): Part<number> => {
  const end = at + 1 + key.charCodeAt(at)
  let value = 0
  for (let i = at + 1; i < end; i++) value = value * 256 + key.charCodeAt(i)
  return { value, end }
}

// A zero byte within a name is escaped, so that its end is found, and is lower than anything a name goes on with.
const nameEnd = "\0\x01"
const escapedZero = "\0\xff"
// eslint-disable-next-line no-control-regex -- every ASCII character but NUL stands for itself
const plain = /^[\x01-\x7f]*$/

const nameBytes = (name: string): string =>
  plain.test(name) ? name : Buffer.from(name).toString("latin1").replaceAll("\0", escapedZero)

// As many bytes as it takes, after their count: of two numbers the longer is the larger.
const numberBytes = (n: number): string => {
  let bytes = ""
  for (let rest = n; rest > 0; rest = Math.floor(rest / 256)) bytes = String.fromCharCode(rest % 256) + bytes
  return String.fromCharCode(bytes.length) + bytes
}

// The only place where a string becomes a key.
const branded = (bytes: string): Key => bytes as Key
