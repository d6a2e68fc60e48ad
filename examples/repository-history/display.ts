/** What the tour shows: on a terminal with colours, bars and lines that redraw themselves, elsewhere as plain lines. */
import { stripVTControlCharacters, styleText } from "node:util"

type Style = Parameters<typeof styleText>[0]

const terminal = process.stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb"

/** Whether somebody watches, so that it's worth drawing. */
export const watched = terminal

/** Text in a style, where styles are shown. */
export const paint = (style: Style, text: string): string =>
  terminal ? styleText(style, text, { validateStream: false }) : text

/** Columns to fill: those of the terminal, within reason. */
export const width = (): number => Math.max(40, Math.min(process.stdout.columns || 80, 100))

const shown = (text: string): number => stripVTControlCharacters(text).length

/** Text filled up with spaces to so many columns, at its end or, for numbers, before it. */
export const fill = (text: string, columns: number, side: "start" | "end" = "end"): string => {
  const spaces = " ".repeat(Math.max(0, columns - shown(text)))
  return side === "end" ? text + spaces : spaces + text
}

/** A whole number with its thousands apart: `38,945`. */
export const count = (value: number): string => value.toLocaleString("en-US")

/** A time in seconds: `0.63 s`. */
export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

/** A bar as long as a part, from 0 to 1, of so many columns. */
export const bar = (part: number, columns: number): string => {
  const filled = Math.round(Math.max(0, Math.min(1, part)) * columns * 8)
  return "█".repeat(filled >> 3) + (eighths[filled & 7] ?? "")
}

const write = (text: string): void => {
  process.stdout.write(text)
}

/** Writes a line. */
export const line = (text = ""): void => write(`${text}\n`)

/** Cuts a line off where the screen ends, so that it stays one. Only for lines whose end is not in a style. */
const cut = (text: string): string =>
  shown(text) <= width() ? text : `${stripVTControlCharacters(text).slice(0, width() - 1)}…`

/** Writes prose, indented, in lines that fit. */
export const prose = (text: string, lead = "  "): void => {
  const rest = " ".repeat(shown(lead))
  let at = lead
  let words = 0
  for (const word of text.split(" ")) {
    if (words > 0 && shown(at) + 1 + shown(word) > width()) {
      line(at)
      at = rest
      words = 0
    }
    at += words++ === 0 ? word : ` ${word}`
  }
  line(at)
}

/** Opens something new under its title. */
export const heading = (title: string): void => {
  line()
  const rest = Math.max(0, width() - shown(title) - 1)
  line(terminal ? `${paint("bold", title)} ${paint("dim", "─".repeat(rest))}` : title)
}

/** Shows a command as somebody would type it. */
export const command = (text: string, note = ""): void =>
  line(cut(`  ${paint("dim", "$")} ${paint("cyan", text)}${note === "" ? "" : `  ${paint("dim", note)}`}`))

/** Says that something is as it should be. */
export const good = (text: string): void => prose(text, terminal ? `  ${paint("green", "✓")} ` : "  ok: ")

/** Says that something isn't. */
export const bad = (text: string): void => prose(text, terminal ? `  ${paint("red", "✗")} ` : "  WRONG: ")

/** Says that something was broken on purpose. */
export const broken = (text: string): void => prose(text, terminal ? `  ${paint("yellow", "✗")} ` : "  ")

/** Lines that are drawn again and again in the same place; elsewhere only the last of them are written. */
export interface Live {
  readonly draw: (lines: ReadonlyArray<string>) => void
  /** Draws for the last time, leaving it there. Nothing: takes it away. */
  readonly end: (lines?: ReadonlyArray<string>) => void
}

const hideCursor = "\u001b[?25l"
const showCursor = "\u001b[?25h"
let drawing = false

/** Starts drawing. */
export const live = (): Live => {
  let height = 0
  const replace = (lines: ReadonlyArray<string>): void => {
    const up = height === 0 ? "" : `\u001b[${height}A\r`
    write(`${up}\u001b[J${lines.map((text) => `${cut(text)}\n`).join("")}`)
    height = lines.length
  }
  return {
    draw: (lines) => {
      if (!terminal) return
      if (!drawing) write(hideCursor)
      drawing = true
      replace(lines)
    },
    end: (lines = []) => {
      if (terminal) replace(lines)
      else lines.forEach(line)
      restore()
    }
  }
}

/** Leaves the terminal as it was, also when the program ends in the middle. */
export const restore = (): void => {
  if (drawing) write(showCursor)
  drawing = false
}

/** A progress bar: how much of the whole, from 0 to 1, and what that is. */
export const progress = (part: number, text: string): string => {
  const share = `${Math.floor(part * 100)}%`
  if (!terminal) return `  ${share}, ${text}`
  const columns = Math.max(10, width() - 46)
  const filled = Math.round(Math.max(0, Math.min(1, part)) * columns)
  const rail = paint("cyan", "━".repeat(filled)) + paint("dim", "━".repeat(columns - filled))
  return `  ${rail} ${fill(share, 4, "start")}  ${text}`
}

/** One column of a table: its head, and on which side its cells are filled up. */
export interface Column {
  readonly head: string
  readonly side?: "start" | "end"
}

/** A row: its cells, and what its bar measures, beside the largest of the table. */
export interface Row {
  readonly cells: ReadonlyArray<string>
  readonly amount?: number
}

/** A table as lines, each cell under its head, with a bar at the end where there is room for one. */
export const table = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const widths = columns.map(({ head }, i) => Math.max(shown(head), ...rows.map(({ cells }) => shown(cells[i] ?? ""))))
  const laid = (cells: ReadonlyArray<string>): string =>
    `  ${
      columns.map(({ side }, i) => fill(cells[i] ?? "", widths[i] ?? 0, side === "start" ? "start" : "end")).join("  ")
    }`
  const room = Math.min(40, width() - shown(laid([])) - 3)
  const most = Math.max(...rows.map(({ amount = 0 }) => amount))
  return [
    paint("dim", laid(columns.map(({ head }) => head)).trimEnd()),
    ...rows.map(({ amount, cells }) => {
      const drawn = terminal && amount !== undefined && room >= 8
      return `${laid(cells)}${drawn ? `  ${paint("cyan", bar(amount / most, room))}` : ""}`.trimEnd()
    })
  ]
}
