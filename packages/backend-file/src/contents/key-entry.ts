/** What the index says of keys: an entry for each key, one for its revision, and one for each namespace's count. */
import { Position } from "@persist/core"
import { firstPart, type Key, keyOf, nameAt, numberAt } from "../key.ts"
import { putVarint, varintAt, varintLength } from "../tree/varint.ts"

/** A key's last write. */
export interface Write {
  readonly revision: Position
  /** Whether it was a put. */
  readonly lives: boolean
}

/** A key that never was there. */
export const never: Write = { revision: Position(0), lives: false }

/** Key of a key's entry. */
export const keyKey = (namespace: string, key: string): Key => keyOf("K", namespace, key)

/** Key of the entry that says that a revision is a key's last one. */
export const revisionKey = (namespace: string, revision: number): Key => keyOf("R", namespace, revision)

/** Key of a namespace's count. */
export const countKey = (namespace: string): Key => keyOf("N", namespace)

/** A key's last write as bytes: one for whether it lives, then the revision. */
export const writeValue = ({ lives, revision }: Write): Uint8Array => {
  const bytes = new Uint8Array(1 + varintLength(revision))
  bytes[0] = lives ? 1 : 0
  putVarint(bytes, 1, revision)
  return bytes
}

/** The last write that bytes are. */
export const writeOf = (value: Uint8Array): Write => ({ lives: value[0] === 1, revision: Position(varintAt(value, 1)) })

/** A count as bytes. */
export const countValue = (count: number): Uint8Array => {
  const bytes = new Uint8Array(varintLength(count))
  putVarint(bytes, 0, count)
  return bytes
}

/** The name of the key that an entry is about. */
export const keyIn = (key: Key): string => nameAt(key, nameAt(key, firstPart).end).value

/** The revision that an entry is about. */
export const revisionIn = (key: Key): Position => Position(numberAt(key, nameAt(key, firstPart).end).value)
