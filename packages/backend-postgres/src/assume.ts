/** What a batch is judged by before the server has seen it: what is remembered, and otherwise what lets it happen. */
import type { Commit, Expectation, Recorded } from "@persist/core"
import type { KnownStream, Memory } from "./memory.ts"

/** What of an assumption the judgement rests on: nothing, the very number, or whether there is anything at all. */
export const needs = { nothing: 0, number: 1, presence: 2 } as const

/** A number that is taken to be so. */
export interface Assumed {
  value: number
  need: number
}

/** A stream whose last seq is taken to be so; `id` is 0 where it isn't remembered. */
export interface AssumedStream extends Assumed {
  readonly id: number
}

/** A key whose revision is taken to be so. */
export interface AssumedKey extends Assumed {
  readonly namespace: string
  readonly key: string
}

/** The store as far as a batch can notice it. */
export interface Assumption {
  readonly head: number
  readonly streams: Map<string, AssumedStream>
  /** By {@link keyName}. */
  readonly keys: Map<string, AssumedKey>
  /** How many keys the namespaces hold that the batch clears. */
  readonly counts: Map<string, number>
  readonly recorded: ReadonlyMap<string, Recorded>
}

/** What the server has told about a batch that was sent before; what it told is taken as it is. */
export interface Told {
  readonly streams: Map<string, KnownStream>
  readonly keys: Map<string, number>
  readonly counts: Map<string, number>
  readonly recorded: Map<string, Recorded>
  /** How often it was said of an id that nothing happened under it. */
  readonly attempts: Map<string, number>
}

/** Nothing told yet. */
export const nothingTold = (): Told => ({
  streams: new Map(),
  keys: new Map(),
  counts: new Map(),
  recorded: new Map(),
  attempts: new Map()
})

/** One text for a namespace and a key: no other two have it. */
export const keyName = (namespace: string, key: string): string => `${namespace.length} ${namespace}${key}`

/**
 * Everything the batch touches, as it is told, remembered, or else as its expectations would have it: whoever expects
 * a seq has mostly just read it. The server is asked to make sure of whatever the judgement rests on.
 */
export const assume = (batch: ReadonlyArray<Commit>, memory: Memory, told: Told): Assumption => {
  const streams = new Map<string, AssumedStream>()
  const keys = new Map<string, AssumedKey>()
  const counts = new Map<string, number>()
  const touch = (name: string, expected: number | undefined, need: number): void => {
    const found = streams.get(name)
    if (found === undefined) streams.set(name, assumeStream(name, expected, need, memory, told))
    else found.need = stricter(found.need, need)
  }
  const touchKey = (namespace: string, key: string, expected: number, need: number): void => {
    const name = keyName(namespace, key)
    const found = keys.get(name)
    if (found === undefined) keys.set(name, { namespace, key, value: told.keys.get(name) ?? expected, need })
    else found.need = stricter(found.need, need)
  }
  for (const { append, expect, truncate, write } of batch) {
    for (const expectation of expect) {
      const [expected, need] = expectedBy(expectation)
      if (expectation._tag === "Stream") touch(expectation.stream, expected, need)
      else touchKey(expectation.namespace, expectation.key, expected, need)
    }
    for (const { stream } of append) touch(stream, undefined, needs.nothing)
    for (const { stream } of truncate) touch(stream, undefined, needs.nothing)
    for (const { _tag, namespace } of write) {
      if (_tag === "Clear") counts.set(namespace, told.counts.get(namespace) ?? 0)
    }
  }
  // How many keys a clear meets depends on which of those that the batch writes were there.
  for (const { write } of counts.size === 0 ? [] : batch) {
    for (const one of write) {
      if (one._tag !== "Clear" && counts.has(one.namespace)) touchKey(one.namespace, one.key, 0, needs.presence)
    }
  }
  return { head: memory.head ?? 0, streams, keys, counts, recorded: told.recorded }
}

const assumeStream = (
  name: string,
  expected: number | undefined,
  need: number,
  memory: Memory,
  told: Told
): AssumedStream => {
  const answer = told.streams.get(name)
  if (answer !== undefined) return { id: answer.id, value: answer.last, need }
  const known = memory.stream(name)
  // What is remembered may be old, and then a higher expectation is more likely to be right; a lower one never is.
  if (known !== undefined && (expected === undefined || expected <= known.last)) {
    return { id: known.id, value: known.last, need }
  }
  return { id: 0, value: expected ?? 0, need }
}

const expectedBy = ({ expected }: Expectation): readonly [value: number, need: number] =>
  expected === "exists"
    ? [1, needs.presence]
    : [expected === "absent" ? 0 : expected, needs.number]

const stricter = (a: number, b: number): number =>
  a === needs.number || b === needs.number ? needs.number : Math.max(a, b)
