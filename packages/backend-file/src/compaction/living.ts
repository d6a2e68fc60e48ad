/** Which records of the log still tell of something, now that others have come after them. */
import type { Contents } from "../contents/contents.ts"
import { type Chunk, kind, kindAt } from "../log/item.ts"
import { keyNameAt, positionAt, seqAt, streamAt, truncationAt } from "../log/read-record.ts"

/** Whether a record is still needed: to be read, or for the index to be made anew from the log. */
export type IsLiving = (chunk: Chunk, at: number) => boolean

/**
 * What is needed of the log, by what the store holds. Events as long as they can be read; of a key's writes the last,
 * be it a removal, which `changed` tells of; of a stream's truncations the last, which has its last seq; commits that
 * had ids always. What isn't needed once never is again.
 */
export const livingIn = ({ keys, streams }: Contents): IsLiving => {
  const { anyShortened } = streams
  return (chunk, at) => {
    switch (kindAt(chunk, at)) {
      case kind.event:
        return !anyShortened || seqAt(chunk, at) >= streams.firstSeq(streamAt(chunk, at))
      case kind.put:
        return isLast(chunk, at, "put")
      case kind.tombstone:
        return isLast(chunk, at, "tombstone")
      case kind.truncation: {
        const { first, stream } = truncationAt(chunk, at)
        return first >= streams.firstSeq(stream)
      }
      case kind.identified:
        return true
      default:
        return false
    }
  }

  function isLast(chunk: Chunk, at: number, of: "put" | "tombstone"): boolean {
    const { key, namespace } = keyNameAt(chunk, at, of)
    return keys.lastWrite(namespace, key) === positionAt(chunk, at)
  }
}
