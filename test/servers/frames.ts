/** Where the messages of PostgreSQL's protocol begin and end within the bytes of one direction of a connection. */

/** A message within a chunk. One that spans chunks is told twice: where it begins, and later where it ends. */
export interface Boundary {
  readonly _tag: "Begins" | "Ends"
  /** Its type, one letter; the first message of a client has none, which is told as `""`. */
  readonly type: string
  /** How many bytes of the chunk lie before the boundary. */
  readonly offset: number
}

/** A client that opens a connection speaks first, in a message without a type. */
export type Speaker = "client" | "server"

/** Tells the boundaries in chunk after chunk of what one side says on one connection, without encryption. */
export const makeFramer = (speaker: Speaker): (chunk: Uint8Array) => ReadonlyArray<Boundary> => {
  let typed = speaker === "server"
  let type = ""
  // The bytes of the header that were seen, and how many of the message are still to come once it was.
  let header: Array<number> = []
  let left = 0
  return (chunk) => {
    const found: Array<Boundary> = []
    const end = (offset: number) => {
      found.push({ _tag: "Ends", type, offset })
      header = []
      typed = true
    }
    for (let at = 0; at < chunk.length;) {
      if (left > 0) {
        const step = Math.min(left, chunk.length - at)
        at += step
        left -= step
        if (left === 0) end(at)
        continue
      }
      const byte = chunk[at] ?? 0
      if (header.length === 0) {
        type = typed ? String.fromCharCode(byte) : ""
        found.push({ _tag: "Begins", type, offset: at })
      }
      header.push(byte)
      at++
      // After the type come four bytes of length, which count themselves.
      const length = header.slice(typed ? 1 : 0)
      if (length.length < 4) continue
      left = length.reduce((sum, each) => sum * 256 + each, 0) - 4
      if (left === 0) end(at)
    }
    return found
  }
}
