/** Lines out of bytes that come in any pieces. */
import { type Line, LineCutter } from "@persist/cli/lines"
import * as fc from "fast-check"
import { expect, test } from "vitest"

const cut = (pieces: ReadonlyArray<Uint8Array>): ReadonlyArray<Line> => {
  const cutter = new LineCutter()
  return [...pieces.flatMap((piece) => cutter.push(piece)), ...cutter.finish()]
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)

const shown = ({ content, end, lineEnd, number, text }: Line) => ({
  number,
  end,
  content: textOf(content),
  text: textOf(text),
  lineEnd: textOf(lineEnd)
})

test("any cutting of the same bytes into pieces gives the same lines", () => {
  const part = fc.oneof(fc.constantFrom("\n", "\r\n", "\r", "\ufeff", "ä", "😀"), fc.string())
  const text = fc.array(part).map((parts) => parts.join(""))
  fc.assert(fc.property(text, fc.array(fc.nat()), (whole, cuts) => {
    const bytes = bytesOf(whole)
    const places = [...new Set([0, ...cuts.map((at) => at % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
    const pieces = places.slice(1).map((to, i) => bytes.slice(places[i], to))
    const lines = cut(pieces)
    expect(lines.map(shown)).toEqual(cut([bytes]).map(shown))
    expect(lines.map(({ content, lineEnd }) => textOf(content) + textOf(lineEnd)).join("")).toBe(textOf(bytes))
    expect(lines.map(({ number }) => number)).toEqual(lines.map((_, i) => i + 1))
    for (const { content, end } of lines) {
      expect(bytes.slice(end - content.length, end)).toEqual(new Uint8Array(content))
    }
  }))
})

test("line ends and a byte order mark are no part of a line's text", () => {
  const lines = cut([bytesOf("\ufeffa\r\n\n\ufeffb\nc")])
  expect(lines.map(({ text }) => textOf(text))).toEqual(["a", "", "\ufeffb", "c"])
  expect(lines.map(({ end }) => end)).toEqual([4, 6, 11, 13])
})
