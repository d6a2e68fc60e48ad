/** What the protocol carries as data: JSON text or bytes, opaque to every backend. */

/** JSON text (a string) or bytes; which of the two it is survives storage. */
export type Payload = string | Uint8Array

const encoder = new TextEncoder()

/** Counts the UTF-8 bytes of a string; a lone surrogate counts three, as its replacement would. */
export const utf8Bytes = (text: string): number => {
  // The engine's own encoder is several times as fast as a loop here, even though what it writes is thrown away.
  let bytes = 0
  for (let from = 0; from < text.length;) {
    const { read, written } = encoder.encodeInto(from === 0 ? text : text.slice(from), scratch)
    from += read
    bytes += written
  }
  return bytes
}

const scratch = new Uint8Array(16_384)

/** Size of a payload in bytes, as the limits count it. */
export const payloadBytes = (payload: Payload): number =>
  typeof payload === "string" ? utf8Bytes(payload) : payload.byteLength

/** A payload that shares no memory with the one given: strings are immutable, bytes are copied. */
// The `slice` of Node's Buffer, which is a Uint8Array too, would share its memory.
export const copyPayload = (payload: Payload): Payload =>
  typeof payload === "string" ? payload : new Uint8Array(payload)

/** The payload's bytes: text as UTF-8. */
export const toBytes = (payload: Payload): Uint8Array => typeof payload === "string" ? encoder.encode(payload) : payload

/** Whether two payloads are of the same kind with the same content. */
export const samePayload = (a: Payload, b: Payload): boolean => {
  if (typeof a === "string" || typeof b === "string") return a === b
  if (a.byteLength !== b.byteLength) return false
  for (let i = 0; i < a.byteLength; i++) if (a[i] !== b[i]) return false
  return true
}
