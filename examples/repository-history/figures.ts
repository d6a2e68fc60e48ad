/** What is known of the history beforehand, and what the projections say, in the same form. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Churn } from "./churn.ts"
import type { StreamLength } from "./longest-streams.ts"

/** Values by name. */
export interface ByName<A> {
  readonly [name: string]: A
}

/** The figures of a history: sums, and the first ten of each kind. */
export interface Figures {
  readonly events: number
  readonly streams: number
  readonly commits: number
  readonly authors: number
  readonly commitsByAuthor: ByName<number>
  readonly churnByDirectory: ByName<Churn>
  readonly longestStreams: ReadonlyArray<StreamLength>
}

/** The input, as a path. */
export const input = fileURLToPath(new URL("../data/repository-history.ndjson.gz", import.meta.url))

/** The figures of the input, found by other means than this project's. */
export const expected: Figures = JSON.parse(
  readFileSync(new URL("../data/repository-history.expected.json", import.meta.url), "utf8")
)

/** The ten largest, largest first. */
export const topTen = <A>(all: ByName<A>, size: (value: A) => number): ReadonlyArray<readonly [string, A]> =>
  Object.entries(all).sort(([, a], [, b]) => size(b) - size(a)).slice(0, 10)

/** Puts what the projections say into the form of the figures. */
export const figuresOf = (
  commits: ByName<number>,
  churn: ByName<Churn>,
  lengths: { readonly events: number; readonly streams: number; readonly longest: ReadonlyArray<StreamLength> }
): Figures => ({
  events: lengths.events,
  streams: lengths.streams,
  commits: Object.values(commits).reduce((sum, n) => sum + n, 0),
  authors: Object.keys(commits).length,
  commitsByAuthor: Object.fromEntries(topTen(commits, (n) => n)),
  churnByDirectory: Object.fromEntries(topTen(churn, ({ changes }) => changes)),
  longestStreams: lengths.longest
})

/** Every single value of some figures, by where it stands: `churnByDirectory.src.added`. */
export const valuesOf = (figures: unknown, path = ""): ReadonlyMap<string, string> =>
  typeof figures === "object" && figures !== null
    ? new Map(
      Object.entries(figures).flatMap(([name, value]) => [
        ...valuesOf(value, path === "" ? name : `${path}.${name}`)
      ])
    )
    : new Map([[path, JSON.stringify(figures)]])

/** What is different between two sets of figures, a sentence each. */
export const differences = (actual: unknown, wanted: unknown): ReadonlyArray<string> => {
  const [there, due] = [valuesOf(actual), valuesOf(wanted)]
  return [...new Set([...due.keys(), ...there.keys()])]
    .filter((path) => there.get(path) !== due.get(path))
    .map((path) => `${path} is ${there.get(path) ?? "missing"} and should be ${due.get(path) ?? "absent"}`)
}
