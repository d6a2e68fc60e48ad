/** A commit of one put: what the short functions need to know of it, and the parameters of `put_one_1`. */
import type { Commit, Committed, Identity, Put } from "@persist/core"
import { place, Position, Seq } from "@persist/core"
import type { Value } from "./asking.ts"
import type { Memory } from "./memory.ts"
import { toStored } from "./text.ts"

/** A put that is all a commit does. */
export interface OnlyPut {
  readonly put: Put
  readonly at: number
  readonly identity: Identity
  /** The revision that its key has to have: 0 where it mustn't be there, {@link anyRevision} for whatever. */
  readonly expected: number
}

/** No revision: it doesn't matter. */
export const anyRevision = -1

/**
 * The one put of a commit; `undefined` where the short functions can't do it: it does something else, has no id, or
 * expects what is no revision of that key.
 */
export const onlyPut = (commit: Commit): OnlyPut | undefined => {
  const { append, at, identity, truncate, write } = commit
  const [put] = write
  if (put?._tag !== "Put" || identity === undefined) return undefined
  if (write.length > 1 || append.length + truncate.length > 0) return undefined
  const expected = expectedOf(commit, put)
  return expected === undefined ? undefined : { put, at, identity, expected }
}

const expectedOf = ({ expect }: Commit, { key, namespace }: Put): number | undefined => {
  let revision = anyRevision
  for (const one of expect) {
    if (one._tag !== "Key" || one.key !== key || one.namespace !== namespace || one.expected === "exists") {
      return undefined
    }
    const wanted = one.expected === "absent" ? 0 : one.expected
    if (revision !== anyRevision && revision !== wanted) return undefined
    revision = wanted
  }
  return revision
}

/** The parameters, and what the commit comes to. */
export interface EncodedPut {
  readonly values: ReadonlyArray<Value>
  readonly outcomes: ReadonlyArray<Committed>
  readonly head: number
}

/** Encodes a commit; `undefined` where `put_one_1` can't do it, or the head or the namespace isn't remembered. */
export const encodePut = (commit: Commit, memory: Memory, patience: number | undefined): EncodedPut | undefined => {
  const only = onlyPut(commit)
  const { head, server } = memory
  const space = only && memory.space(only.put.namespace)
  if (only === undefined || space === undefined || head === undefined || server === undefined) return undefined
  const { at, expected, identity, put: { key, meta, value } } = only
  const isText = typeof value === "string"
  const values = [
    patience?.toString() ?? null,
    server,
    head,
    space,
    toStored(key),
    expected === anyRevision ? null : expected,
    at,
    isText ? toStored(value) : null,
    isText ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    meta === undefined ? null : toStored(meta),
    toStored(identity.id),
    toStored(identity.digest)
  ]
  // What is expected, the function makes sure of.
  const placed = place(commit, Position(head), () => Seq(0), () => 0)
  return { values, outcomes: [placed], head: placed.position }
}
