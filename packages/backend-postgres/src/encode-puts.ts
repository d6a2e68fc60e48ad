/** A batch of commits of one put each as the parameters of `put_one_1` or `put_each_1`, placed as it's encoded. */
import type { Commit, Committed, Put } from "@persist/core"
import { place, Position, Seq } from "@persist/core"
import { byteArrays, int4s, int8s, texts, unlessEmpty } from "./arrays.ts"
import type { Value } from "./asking.ts"
import { keyName } from "./assume.ts"
import type { Memory } from "./memory.ts"
import { toStored } from "./text.ts"

/** Commits of one put each, all of different keys, with the revision that each key has to have. */
export interface Puts {
  readonly commits: ReadonlyArray<Commit>
  readonly puts: ReadonlyArray<Put>
  /** 0 where the key mustn't be there, {@link anyRevision} where it doesn't matter. */
  readonly expected: ReadonlyArray<number>
}

const anyRevision = -1

/**
 * The batch as puts; `undefined` where the short way isn't for it: a commit does something else than put one key, has
 * no id, or expects what is no revision of that key, or two put the same.
 */
export const putsOf = (commits: ReadonlyArray<Commit>): Puts | undefined => {
  const puts: Array<Put> = []
  const expected: Array<number> = []
  for (const commit of commits) {
    const put = onlyPut(commit)
    const revision = put && expectedOf(commit, put)
    if (put === undefined || revision === undefined) return undefined
    puts.push(put)
    expected.push(revision)
  }
  const names = puts.length > 1 ? new Set(puts.map(({ key, namespace }) => keyName(namespace, key))) : undefined
  return names === undefined || names.size === puts.length ? { commits, puts, expected } : undefined
}

const onlyPut = ({ append, identity, truncate, write }: Commit): Put | undefined => {
  const [only] = write
  const isAlone = identity !== undefined && write.length === 1 && append.length + truncate.length === 0
  return isAlone && only?._tag === "Put" ? only : undefined
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

/** The parameters, and what each commit comes to. */
export interface EncodedPuts {
  readonly values: ReadonlyArray<Value>
  readonly outcomes: ReadonlyArray<Committed>
  readonly head: number
}

/** Encodes puts; `undefined` where a namespace or the head isn't remembered. */
export const encodePuts = (batch: Puts, memory: Memory, patience: number | undefined): EncodedPuts | undefined => {
  const { commits, puts } = batch
  const { head, server } = memory
  if (head === undefined || server === undefined) return undefined
  const spaces = puts.flatMap(({ namespace }) => memory.space(namespace) ?? [])
  if (spaces.length < puts.length) return undefined
  // What is expected, the function makes sure of: then each commit happens.
  const outcomes = commits.map((commit, n) => place(commit, Position(head + n), noSeq, noKeys))
  const known = [patience?.toString() ?? null, server, head]
  const values = [...known, ...oneOf(batch, spaces) ?? arraysOf(batch, spaces)]
  return { values, outcomes, head: head + puts.length }
}

const oneOf = ({ commits, expected, puts }: Puts, [space]: ReadonlyArray<number>): ReadonlyArray<Value> | undefined => {
  const [commit, another] = commits
  const [put] = puts
  const [revision = anyRevision] = expected
  const identity = commit?.identity
  if (put === undefined || commit === undefined || identity === undefined || space === undefined) return undefined
  if (another !== undefined) return undefined
  const { key, meta, value } = put
  const isText = typeof value === "string"
  return [
    space,
    toStored(key),
    revision === anyRevision ? null : revision,
    commit.at,
    isText ? toStored(value) : null,
    isText ? null : Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    meta === undefined ? null : toStored(meta),
    toStored(identity.id),
    toStored(identity.digest)
  ]
}

const arraysOf = ({ commits, expected, puts }: Puts, spaces: ReadonlyArray<number>): ReadonlyArray<Value> => [
  int4s(spaces),
  texts(puts.map(({ key }) => key)),
  expected.every((one) => one === anyRevision) ? null : int8s(expected),
  int8s(commits.map(({ at }) => at)),
  unlessEmpty(texts(puts.map(({ value }) => typeof value === "string" ? value : undefined))),
  unlessEmpty(byteArrays(puts.map(({ value }) => typeof value === "string" ? undefined : value))),
  unlessEmpty(texts(puts.map(({ meta }) => meta))),
  texts(commits.map(({ identity }) => identity?.id)),
  texts(commits.map(({ identity }) => identity?.digest))
]

const noSeq = (): Seq => Seq(0)
const noKeys = (): number => 0
