/** A buffer that grows: what the log's items are encoded into, the same one for every group of commits. */

/** Bytes on their way to the disk. Numbers are little-endian; make {@link Out.room} before anything is put. */
export class Out {
  bytes: Buffer
  view: DataView
  /** How many bytes hold something; the next ones go behind them. */
  length = 0

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity)
    this.view = viewOf(this.bytes)
  }

  /** Makes sure that so many more bytes fit. */
  room(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
    this.view = viewOf(larger)
  }

  /** Empties it; memory above `capacity`, taken for an unusually large content, is given back. */
  clear(capacity: number): void {
    this.length = 0
    if (this.bytes.length <= capacity) return
    this.bytes = Buffer.allocUnsafeSlow(capacity)
    this.view = viewOf(this.bytes)
  }

  /** Puts text as UTF-8; answers how many bytes it took. */
  text(text: string): number {
    const start = this.length
    const units = text.length
    if (units <= shortText) {
      let i = 0
      for (; i < units; i++) {
        const unit = text.charCodeAt(i)
        if (unit >= 0x80) break
        this.bytes[start + i] = unit
      }
      if (i === units) {
        this.length += units
        return units
      }
    }
    const count = this.bytes.write(text, start)
    this.length += count
    return count
  }

  /** Puts bytes as they are. */
  raw(bytes: Uint8Array): number {
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
    return bytes.length
  }
}

// Up to here a loop over ASCII is quicker than the call into the engine's encoder.
const shortText = 40

/** The most bytes a text can take as UTF-8: its count where it's long, since three times as much would be much then. */
export const textRoom = (text: string | undefined): number =>
  text === undefined ? 0 : text.length < longText ? text.length * 3 : Buffer.byteLength(text)

const longText = 64 * 1024

/** A view of the same bytes. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Puts a whole number from 0, up to the largest safe one, into eight bytes. */
export const putWhole = (view: DataView, at: number, value: number): void => {
  view.setUint32(at, value, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
}

/** Reads a whole number from eight bytes; above the safe ones it's rounded. */
export const wholeAt = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
