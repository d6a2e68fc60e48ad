/** Rows as a table of Markdown: ratios first, then what they are made of. */
import type { Row, Taken } from "../harness/run.ts"
import type { Spread } from "../harness/statistics.ts"

/** A number as people read it: three digits that count. */
export const short = (value: number): string => {
  if (!Number.isFinite(value)) return "–"
  if (value >= 999_500) return `${(value / 1e6).toPrecision(3)}M`
  if (value >= 9_995) return `${(value / 1e3).toPrecision(3)}k`
  return value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3)
}

const range = ({ max, min }: Spread): string => `${short(min)}–${short(max)}`

/** The best of the sides of a kind. */
export const bestOf = (row: Row, kind: Taken["kind"]): Taken | undefined =>
  row.sides.filter((side) => side.kind === kind && side.value !== undefined).toSorted((a, b) =>
    ((b.value?.median ?? 0) - (a.value?.median ?? 0)) * (row.better === "more" ? 1 : -1)
  )[0]

/** The header of the table that `lineOf` fills. */
export const header = [
  "| work | ours : raw | ours : best peer | ours | through Effect | raw | peers |",
  "| --- | ---: | ---: | ---: | ---: | ---: | --- |"
].join("\n")

const ratioTo = (side: Taken | undefined): string =>
  side?.ratio === undefined ? "–" : `**${side.ratio.median.toFixed(2)}** (${range(side.ratio)})`

const valueOf = (side: Taken | undefined): string =>
  side?.value === undefined ? "–" : `${short(side.value.median)} (${range(side.value)})`

const peerOf = ({ absent, note, side, value }: Taken): string =>
  `${side}${note === undefined ? "" : ` (${note})`} ${value === undefined ? absent : short(value.median)}`

/** One row of the table. */
export const lineOf = (row: Row): string => {
  const [ours, effect] = row.sides.filter(({ kind }) => kind === "ours")
  const raw = bestOf(row, "raw")
  const peers = row.sides.filter(({ absent, kind }) => kind === "peer" && absent !== "hasn't got this")
  const name = `${row.title}${row.figure === "rate" ? "" : `: ${row.figure}`}, ${row.unit}`
  const cells = [name, ratioTo(raw), ratioTo(bestOf(row, "peer")), valueOf(ours), valueOf(effect), valueOf(raw)]
  return `| ${cells.join(" | ")} | ${peers.map(peerOf).join("; ")} |`
}
