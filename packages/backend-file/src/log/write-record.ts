/** Records, the items that say what happened: how each is written. */
import type { NewEvent, Payload, StoredEntry, Tombstone } from "@persist/core"
import { beginItem, endItem, kind } from "./item.ts"
import { type Out, putWhole, textRoom } from "./out.ts"
import { fixed, flag, type Identified, type Truncation } from "./record.ts"

const payloadRoom = (payload: Payload): number => typeof payload === "string" ? textRoom(payload) : payload.length
const putPayload = (out: Out, payload: Payload): number =>
  typeof payload === "string" ? out.text(payload) : out.raw(payload)

/** Writes an event. */
export const writeEvent = (out: Out, stream: string, seq: number, position: number, event: NewEvent): void => {
  const { at, data, id, meta, type } = event
  const flags = (typeof data === "string" ? 0 : flag.bytes) | (meta === undefined ? 0 : flag.meta) |
    (id === undefined ? 0 : flag.id)
  const room = fixed.event + textRoom(stream) + textRoom(type) + textRoom(id) + payloadRoom(data) + textRoom(meta)
  const start = beginItem(out, kind.event, flags, 0, position, room)
  out.length = start + fixed.event
  const streamBytes = out.text(stream)
  const typeBytes = out.text(type)
  const idBytes = id === undefined ? 0 : out.text(id)
  const dataBytes = putPayload(out, data)
  if (meta !== undefined) out.text(meta)
  const { view } = out
  view.setUint16(start + 10, streamBytes, true)
  putWhole(view, start + 20, seq)
  view.setFloat64(start + 28, at, true)
  view.setUint16(start + 36, typeBytes, true)
  view.setUint16(start + 38, idBytes, true)
  view.setUint32(start + 40, dataBytes, true)
  endItem(out, start)
}

/** Writes a value under a key. */
export const writePut = (
  out: Out,
  { at, key, meta, namespace, revision, value }: Omit<StoredEntry, "_tag">
): void => {
  const flags = (typeof value === "string" ? 0 : flag.bytes) | (meta === undefined ? 0 : flag.meta)
  const room = fixed.put + textRoom(namespace) + textRoom(key) + payloadRoom(value) + textRoom(meta)
  const start = beginItem(out, kind.put, flags, 0, revision, room)
  out.length = start + fixed.put
  const namespaceBytes = out.text(namespace)
  const keyBytes = out.text(key)
  const valueBytes = putPayload(out, value)
  if (meta !== undefined) out.text(meta)
  const { view } = out
  view.setUint16(start + 10, namespaceBytes, true)
  view.setFloat64(start + 20, at, true)
  view.setUint16(start + 28, keyBytes, true)
  view.setUint16(start + 30, 0, true)
  view.setUint32(start + 32, valueBytes, true)
  endItem(out, start)
}

/** Writes that a key was removed. */
export const writeTombstone = (
  out: Out,
  { at, key, namespace, revision }: Omit<Tombstone, "_tag">
): void => {
  const start = beginItem(out, kind.tombstone, 0, 0, revision, fixed.tombstone + textRoom(namespace) + textRoom(key))
  out.length = start + fixed.tombstone
  const namespaceBytes = out.text(namespace)
  const keyBytes = out.text(key)
  out.view.setUint16(start + 10, namespaceBytes, true)
  out.view.setFloat64(start + 20, at, true)
  out.view.setUint16(start + 28, keyBytes, true)
  endItem(out, start)
}

/** Writes that a stream was shortened. */
export const writeTruncation = (out: Out, { first, last, position, stream }: Truncation): void => {
  const start = beginItem(out, kind.truncation, 0, 0, position, fixed.truncation + textRoom(stream))
  out.length = start + fixed.truncation
  const streamBytes = out.text(stream)
  out.view.setUint16(start + 10, streamBytes, true)
  putWhole(out.view, start + 20, first)
  putWhole(out.view, start + 28, last)
  endItem(out, start)
}

/** Writes that a position was taken and nothing is at it. */
export const writeNothing = (out: Out, position: number): void =>
  endItem(out, beginItem(out, kind.nothing, 0, 0, position, 0))

/** Writes that a commit happened under an id. It takes no position: `position` is the commit's own last one. */
export const writeIdentified = (out: Out, { digest, id, position, result }: Identified): void => {
  const room = fixed.identified + textRoom(id) + textRoom(digest) + textRoom(result)
  const start = beginItem(out, kind.identified, 0, 0, position, room)
  out.length = start + fixed.identified
  const idBytes = out.text(id)
  const digestBytes = out.text(digest)
  out.text(result)
  out.view.setUint16(start + 10, idBytes, true)
  out.view.setUint16(start + 20, digestBytes, true)
  endItem(out, start)
}
