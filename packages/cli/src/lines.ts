/** Cuts bytes into lines, each knowing its number and where it ends. */

/** One line of an input. */
export interface Line {
  /** From 1. */
  readonly number: number
  /** Everything up to its line end: what fingerprints cover. */
  readonly content: Uint8Array
  /** The same without a byte order mark. */
  readonly text: Uint8Array
  /** LF, CRLF, or nothing at the end of the input. */
  readonly lineEnd: Uint8Array
  /** Offset of its line end. */
  readonly end: number
}

/** The longest line that is taken, in bytes: the largest payload with every character escaped, and some room. */
export const longestLine = 64 * 1024 * 1024

const newline = 0x0a
const carriageReturn = 0x0d
const byteOrderMark = [0xef, 0xbb, 0xbf]

/** Cuts bytes that come in pieces into lines, at LF or CRLF; a byte order mark before the first is dropped. */
export class LineCutter {
  private readonly pieces: Array<Uint8Array> = []
  private waiting = 0
  private number = 0
  private offset = 0

  /** The lines that these bytes complete. */
  push(chunk: Uint8Array): ReadonlyArray<Line> {
    const lines: Array<Line> = []
    let start = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
      lines.push(this.line(chunk.subarray(start, at + 1)))
      start = at + 1
    }
    if (start < chunk.length) {
      this.pieces.push(chunk.subarray(start))
      this.waiting += chunk.length - start
    }
    return lines
  }

  /** What is left at the end of the input: a last line without a line end, if any. */
  finish(): ReadonlyArray<Line> {
    return this.waiting === 0 ? [] : [this.line(new Uint8Array())]
  }

  /** Number of the line that is growing, once it is longer than any that is taken. */
  get tooLong(): number | undefined {
    return this.waiting > longestLine ? this.number + 1 : undefined
  }

  private line(last: Uint8Array): Line {
    const raw = this.waiting === 0 ? last : Buffer.concat([...this.pieces, last])
    this.pieces.length = 0
    this.waiting = 0
    this.number++
    let to = raw.length
    if (raw[to - 1] === newline) to--
    if (raw[to - 1] === carriageReturn) to--
    const content = raw.subarray(0, to)
    const marked = this.number === 1 && byteOrderMark.every((byte, i) => content[i] === byte)
    const text = marked ? content.subarray(byteOrderMark.length) : content
    const end = this.offset + to
    this.offset += raw.length
    return { number: this.number, content, text, lineEnd: raw.subarray(to), end }
  }
}

/** Whether a line holds nothing but white space. */
export const isBlank = ({ text }: Line): boolean => text.every((byte) => byte === 0x20 || byte === 0x09)
