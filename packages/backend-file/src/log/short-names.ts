/** Names of which there are few, read again and again: the same string each time, without the engine's decoder. */

// Names that fall on the same slot take it from one another.
const slots = 1024

// Longer ones aren't met so often, and are no quicker compared than decoded.
const longest = 64

/** Decodes names, most of which were met shortly before. */
export class ShortNames {
  private readonly met: Array<string | undefined> = Array.from({ length: slots })

  /** The text of some bytes. */
  at(bytes: Buffer, start: number, length: number): string {
    if (length === 0 || length > longest) return bytes.toString("utf8", start, start + length)
    const slot = slotOf(bytes, start, start + length)
    const known = this.met[slot]
    if (known !== undefined && isAt(known, bytes, start, length)) return known
    const text = bytes.toString("utf8", start, start + length)
    this.met[slot] = text
    return text
  }
}

// By a few of the bytes: to look at each of them takes as long as decoding would.
const slotOf = (bytes: Buffer, start: number, end: number): number => {
  const middle = (start + end) >>> 1
  const hash = (((end - start) * 31 + (bytes[start] ?? 0)) * 31 + (bytes[middle] ?? 0)) * 31 + (bytes[end - 1] ?? 0)
  return (hash ^ (hash >>> 10)) & (slots - 1)
}

// One that isn't ASCII has fewer units than bytes, and is decoded each time.
const isAt = (text: string, bytes: Buffer, start: number, length: number): boolean => {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false
  return true
}
