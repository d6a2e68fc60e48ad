/** Records read back from a chunk of a segment; whoever calls has made sure that the item is whole. */
import type { Payload, StoredEntry, StoredEvent, Tombstone } from "@persist/core"
import { Position, Seq } from "@persist/core"
import { type Chunk, itemHeader, lengthAt } from "./item.ts"
import { wholeAt } from "./out.ts"
import { fixed, flag, type Identified, type Truncation } from "./record.ts"
import { ShortNames } from "./short-names.ts"

/** The position a record is at; of a frame, that of its first record. */
export const positionAt = ({ view }: Chunk, at: number): Position => Position(wholeAt(view, at + 12))

const textAt = ({ bytes }: Chunk, start: number, length: number): string =>
  bytes.toString("utf8", start, start + length)

const names = new ShortNames()
const nameAt = ({ bytes }: Chunk, start: number, length: number): string => names.at(bytes, start, length)

// A copy: the chunk is used again, and what is given away belongs to the caller.
const payloadAt = (chunk: Chunk, bytes: boolean, start: number, length: number): Payload =>
  bytes ? new Uint8Array(chunk.bytes.subarray(start, start + length)) : textAt(chunk, start, length)

/** An event's place in its stream. */
export const seqAt = ({ view }: Chunk, at: number): Seq => Seq(wholeAt(view, at + itemHeader))

/** The stream of an event. */
export const streamAt = (chunk: Chunk, at: number): string =>
  textAt(chunk, at + fixed.event, chunk.view.getUint16(at + 10, true))

/** The bytes of an event's stream, to be compared before anything is decoded. */
export const streamBytesAt = ({ bytes, view }: Chunk, at: number): Buffer =>
  bytes.subarray(at + fixed.event, at + fixed.event + view.getUint16(at + 10, true))

/** The type of an event. */
export const typeAt = (chunk: Chunk, at: number): string =>
  nameAt(chunk, at + fixed.event + chunk.view.getUint16(at + 10, true), chunk.view.getUint16(at + 36, true))

// What begins as a copy is made young: packages/core/src/kind.ts says why.
const blank = { stream: "", seq: 0, position: 0, type: "", at: 0, data: "", meta: undefined, id: undefined }

/** An event. Its stream may be given where it's known already. */
export const eventAt = (chunk: Chunk, at: number, stream = streamAt(chunk, at)): StoredEvent => {
  const { bytes, view } = chunk
  const flags = bytes[at + 9] ?? 0
  const typeStart = at + fixed.event + view.getUint16(at + 10, true)
  const idStart = typeStart + view.getUint16(at + 36, true)
  const dataStart = idStart + view.getUint16(at + 38, true)
  const metaStart = dataStart + view.getUint32(at + 40, true)
  return {
    ...blank,
    stream,
    seq: seqAt(chunk, at),
    position: positionAt(chunk, at),
    type: nameAt(chunk, typeStart, idStart - typeStart),
    at: view.getFloat64(at + 28, true),
    data: payloadAt(chunk, (flags & flag.bytes) !== 0, dataStart, metaStart - dataStart),
    meta: (flags & flag.meta) === 0 ? undefined : textAt(chunk, metaStart, at + lengthAt(chunk, at) - metaStart),
    id: (flags & flag.id) === 0 ? undefined : textAt(chunk, idStart, dataStart - idStart)
  }
}

/** Which key a put or a tombstone is about. */
export const keyNameAt = (chunk: Chunk, at: number, of: "put" | "tombstone"): { namespace: string; key: string } => {
  const namespaceBytes = chunk.view.getUint16(at + 10, true)
  return {
    namespace: nameAt(chunk, at + fixed[of], namespaceBytes),
    key: textAt(chunk, at + fixed[of] + namespaceBytes, chunk.view.getUint16(at + 28, true))
  }
}

/** A value under a key. */
export const entryAt = (chunk: Chunk, at: number): StoredEntry => {
  const { bytes, view } = chunk
  const flags = bytes[at + 9] ?? 0
  const valueStart = at + fixed.put + view.getUint16(at + 10, true) + view.getUint16(at + 28, true)
  const metaStart = valueStart + view.getUint32(at + 32, true)
  const { key, namespace } = keyNameAt(chunk, at, "put")
  return {
    _tag: "Entry",
    namespace,
    key,
    value: payloadAt(chunk, (flags & flag.bytes) !== 0, valueStart, metaStart - valueStart),
    meta: (flags & flag.meta) === 0 ? undefined : textAt(chunk, metaStart, at + lengthAt(chunk, at) - metaStart),
    revision: positionAt(chunk, at),
    at: view.getFloat64(at + itemHeader, true)
  }
}

/** A key that was removed. */
export const tombstoneAt = (chunk: Chunk, at: number): Tombstone => {
  const { key, namespace } = keyNameAt(chunk, at, "tombstone")
  const when = chunk.view.getFloat64(at + itemHeader, true)
  return { _tag: "Tombstone", namespace, key, revision: positionAt(chunk, at), at: when }
}

/** A stream that was shortened. */
export const truncationAt = (chunk: Chunk, at: number): Truncation => ({
  stream: textAt(chunk, at + fixed.truncation, chunk.view.getUint16(at + 10, true)),
  first: Seq(wholeAt(chunk.view, at + itemHeader)),
  last: Seq(wholeAt(chunk.view, at + itemHeader + 8)),
  position: positionAt(chunk, at)
})

/** A commit that happened under an id. */
export const identifiedAt = (chunk: Chunk, at: number): Identified => {
  const idStart = at + fixed.identified
  const digestStart = idStart + chunk.view.getUint16(at + 10, true)
  const resultStart = digestStart + chunk.view.getUint16(at + itemHeader, true)
  return {
    id: textAt(chunk, idStart, digestStart - idStart),
    digest: textAt(chunk, digestStart, resultStart - digestStart),
    result: textAt(chunk, resultStart, at + lengthAt(chunk, at) - resultStart),
    position: positionAt(chunk, at)
  }
}
