/** Rows as a table of Markdown: ratios first, then what they are made of; what is to be known of a side below it. */
import type { Absence, Row, Taken } from "../harness/row.ts"
import type { Spread } from "../harness/statistics.ts"

/** What the stores are called in headings, in their order. */
export const storeTitles = { sqlite: "SQLite", file: "Files", postgres: "PostgreSQL", memory: "Memory" } as const

/** A number as people read it: three digits that count. */
export const short = (value: number): string => {
  if (!Number.isFinite(value)) return "–"
  if (value === 0) return "0"
  if (value >= 999_500) return `${(value / 1e6).toPrecision(3)}M`
  if (value >= 9_995) return `${(value / 1e3).toPrecision(3)}k`
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3)
}

/** The least and the greatest. */
export const range = ({ max, min }: Spread): string => `${short(min)}–${short(max)}`

/** What a row measures, in words. */
export const nameOf = ({ figure, title }: Pick<Row, "figure" | "title">): string =>
  figure === "rate" ? title : `${title}: ${figure}`

/** Whether a side keeps what it's given as surely as its store could. */
const isAsDurable = ({ store }: Row, { durable }: Taken): boolean => store === "memory" || durable !== false

/** The best of the sides of a kind, of those that are durable where the store is. */
export const bestOf = (row: Row, kind: Taken["kind"]): Taken | undefined =>
  row.sides.filter((side) => side.kind === kind && side.value !== undefined && isAsDurable(row, side))
    .toSorted((a, b) => ((b.value?.median ?? 0) - (a.value?.median ?? 0)) * (row.better === "more" ? 1 : -1))[0]

/** Ours by itself: through Promises where it is there, else through Effect. */
export const oursOf = (row: Row): Taken | undefined =>
  row.sides.find(({ kind, value }) => kind === "ours" && value !== undefined)

const header = [
  "| work | ours : by hand | ours : best other | ours | through Effect | by hand | other libraries |",
  "| --- | ---: | ---: | ---: | ---: | ---: | --- |"
]

/** Gives a note a mark; the same note the same one. */
type Mark = (note: string) => string

const ratioTo = (side: Taken | undefined): string =>
  side?.ratio === undefined ? "–" : `**${short(side.ratio.median)}** (${range(side.ratio)})`

/** Whether there is something to be said of a side: it did the work, or failed, or nobody let it. */
const isThere = ({ absent }: Taken): boolean => absent?.is !== "unable" && absent?.is !== "without figure"

/** Why there is no figure. */
const absenceOf = (absent: Absence, mark: Mark): string => {
  switch (absent.is) {
    case "failed":
      return `–${mark(`failed: ${absent.why}`)}`
    case "not installed":
      return `–${mark("isn't installed")}`
    case "left out":
      return "not run"
    case "unable":
    case "without figure":
      return "–"
  }
}

const valueOf = (side: Taken | undefined, mark: Mark): string => {
  if (side === undefined) return "–"
  if (side.absent !== undefined) return absenceOf(side.absent, mark)
  const { note, value } = side
  return `${short(value.median)} (${range(value)})${note === undefined ? "" : mark(note)}`
}

/** One row of the table. */
const cellsOf = (row: Row, mark: Mark): string => {
  const [ours, effect] = row.sides.filter(({ kind }) => kind === "ours")
  const raw = bestOf(row, "raw") ?? row.sides.filter(({ kind }) => kind === "raw").find(isThere)
  const peers = row.sides.filter(({ kind }) => kind === "peer").filter(isThere)
  const cells = [
    `${nameOf(row)}, ${row.unit}`,
    ratioTo(bestOf(row, "raw")),
    ratioTo(bestOf(row, "peer")),
    valueOf(ours, mark),
    valueOf(effect, mark),
    valueOf(raw, mark),
    peers.map((peer) => `${peer.side} ${valueOf(peer, mark)}`).join("; ")
  ]
  return `| ${cells.join(" | ")} |`
}

/** One row alone, with what is to be known of its sides beside them. */
export const lineOf = (row: Row): string => cellsOf(row, (note) => ` [${note}]`)

/** A table of rows, and its notes below it. */
export const tableOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const notes = new Map<string, number>()
  const mark: Mark = (note) => {
    notes.set(note, notes.get(note) ?? notes.size + 1)
    return ` [${notes.get(note)}]`
  }
  const lines = rows.map((row) => cellsOf(row, mark))
  const below = [...notes].map(([note, number]) => `${number}. ${note}`)
  return [...header, ...lines, ...below.length === 0 ? [] : ["", ...below]]
}
