/** Curves as SVG, both axes by powers of ten, so that what is flat looks flat. */
import { short } from "./table.ts"

/** One curve. */
export interface Series {
  readonly name: string
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
}

/** Curves that are drawn together. */
export interface Plot {
  readonly title: string
  readonly series: ReadonlyArray<Series>
}

const width = 910
const frame = { left: 70, right: 400, top: 40, bottom: 50 }

/** How high a plot is: at least so much, and as much as the names of its curves take. */
const heightOf = ({ series }: Plot): number => Math.max(340, frame.top + 20 * series.length + frame.bottom)
const colours = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#e69f00",
  "#332288",
  "#999933",
  "#882255",
  "#666"
]

const powers = (values: ReadonlyArray<number>): ReadonlyArray<number> => {
  const from = Math.floor(Math.log10(Math.min(...values)))
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))))
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

const label = (power: number): string => {
  const value = 10 ** power
  if (value >= 1e6) return `${value / 1e6}M`
  return value >= 1e3 ? `${value / 1e3}k` : String(Number(value.toPrecision(1)))
}

const scale = (steps: ReadonlyArray<number>, from: number, to: number) => (power: number) =>
  from + (power - (steps[0] ?? 0)) / ((steps.at(-1) ?? 1) - (steps[0] ?? 0)) * (to - from)

const line = (x1: number, y1: number, x2: number, y2: number) =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ddd"/>`

const text = (at: number, down: number, words: string, anchor: string, fill: string = "#333") =>
  `<text x="${at}" y="${down}" text-anchor="${anchor}" fill="${fill}">${words}</text>`

/** What a curve is called, where it begins, and where it ends. */
const legend = ({ name, points }: Series): string =>
  `${name}: ${short(points[0]?.[1] ?? NaN)} → ${short(points.at(-1)?.[1] ?? NaN)}`

/** The lines of one plot, so far down. */
const drawn = (one: Plot, down: number): ReadonlyArray<string> => {
  const { series, title } = one
  const height = heightOf(one)
  const xs = powers(series.flatMap(({ points }) => points.map(([x]) => x)))
  const ys = powers(series.flatMap(({ points }) => points.map(([, y]) => y)))
  const x = scale(xs, frame.left, width - frame.right)
  const y = scale(ys, height - frame.bottom, frame.top)
  const curves = series.map((curve, i) => {
    const colour = colours[i % colours.length] ?? "#000"
    // A second curve of one colour is broken.
    const dashes = i < colours.length ? "" : ` stroke-dasharray="6 3"`
    const places = curve.points.map(([px, py]) => [x(Math.log10(px)).toFixed(1), y(Math.log10(py)).toFixed(1)] as const)
    const dots = places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`).join("")
    const path = places.map((place) => place.join(",")).join(" ")
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>${dots}${
      text(width - frame.right + 16, frame.top + 12 + i * 20, legend(curve), "start", colour)
    }`
  })
  return [
    `<g transform="translate(0 ${down})">`,
    text(frame.left, 22, title, "start"),
    ...xs.flatMap((power) => [
      line(x(power), frame.top, x(power), height - frame.bottom),
      text(x(power), height - frame.bottom + 18, label(power), "middle")
    ]),
    ...ys.flatMap((power) => [
      line(frame.left, y(power), width - frame.right, y(power)),
      text(frame.left - 8, y(power) + 4, label(power), "end")
    ]),
    ...curves,
    "</g>"
  ]
}

/** Draws plots, one below the other. */
export const plot = (plots: ReadonlyArray<Plot>): string => {
  let down = 0
  const groups = plots.map((one) => {
    const lines = drawn(one, down)
    down += heightOf(one)
    return lines
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${down}"`,
    `font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...groups.flat(),
    "</svg>\n"
  ].join("\n")
}
