/** Partitions: which of a processor's readers an event belongs to. */
import type { Event } from "@persist/core"
import * as Result from "effect/Result"

/** One of a processor's partitions, from 0, and how many there are. */
export interface Partition {
  readonly index: number
  readonly of: number
}

/** A hash of a text that is the same on every machine and in every version: FNV-1a of its UTF-8 bytes, mixed. */
export const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  let ascii = 0
  for (let unit = 0; ascii < text.length && (unit = text.charCodeAt(ascii)) < 0x80; ascii++) {
    hash = Math.imul(hash ^ unit, 0x01000193)
  }
  if (ascii < text.length) {
    for (const byte of encoder.encode(text.slice(ascii))) hash = Math.imul(hash ^ byte, 0x01000193)
  }
  // FNV leaves the low bits of short texts alike; the finisher of MurmurHash3 spreads them.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

const encoder = new TextEncoder()

/** The partition that a key belongs to, of so many. */
export const partitionOf = (of: number, key: string): Partition => ({ index: of === 1 ? 0 : hashOf(key) % of, of })

/** Whether a key belongs to a partition. */
export const isIn = ({ index, of }: Partition, key: string): boolean => partitionOf(of, key).index === index

/**
 * The key of an event where that belongs to a partition; none where it's for another one. Where it can't be told, the
 * event is a failure of the one partition that its stream belongs to, and `undefined` for the others.
 */
export const keysIn =
  (partition: Partition, key: (event: Event) => string) => (event: Event): ReadonlyArray<string> | undefined => {
    const own = Result.try(() => key(event))
    if (Result.isSuccess(own)) return isIn(partition, own.success) ? [own.success] : []
    if (isIn(partition, event.stream)) throw own.failure
    return undefined
  }

/** The name of a partition's reader: that of its processor where there is only one. */
export const readerOf = (processor: string, { index, of }: Partition): string =>
  of === 1 ? processor : `${processor}#${index}`

/** The index of the partition whose reader has this name. */
export const indexOf = (reader: string): number => Number(/#(\d+)$/.exec(reader)?.[1] ?? 0)

/** All partitions of a number of them. */
export const partitionsOf = (of: number): ReadonlyArray<Partition> =>
  Array.from({ length: of }, (_, index) => ({ index, of }))
