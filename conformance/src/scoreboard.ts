/** Reports as people and programs read them: a table with the broken laws below it, and JSON. */
import type { Answer, Report } from "./runner.ts"

/** The reports as a table, one line for each store, then each law that failed with its reason. */
export const table = (reports: ReadonlyArray<Report>): string => {
  const rows = [
    ["store", "durability", "shared", "lacks", "held", "declined", "failed", "passed"],
    ...reports.map(row)
  ]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? []
  const lines = rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
  return [...lines, ...reports.flatMap(failures)].join("\n")
}

const row = ({ about, backend, laws, passed, total }: Report): ReadonlyArray<string> => [
  backend,
  about?.durability ?? "not opened",
  about === undefined ? "" : about.shared ? "yes" : "no",
  about === undefined || about.lacks.size > 0 ? [...about?.lacks ?? []].join(",") : "nothing",
  String(count(laws, "Passed")),
  String(count(laws, "Declined")),
  String(count(laws, "Failed")),
  `${passed}/${total}`
]

const count = (laws: ReadonlyArray<Answer>, tag: Answer["outcome"]["_tag"]): number =>
  laws.filter(({ outcome }) => outcome._tag === tag).length

const failures = ({ backend, laws }: Report): ReadonlyArray<string> =>
  laws.flatMap(({ family, name, outcome }) =>
    outcome._tag === "Failed" ? ["", `${backend} breaks "${name}" (${family})`, `  ${outcome.reason}`] : []
  )

/** The reports as JSON text; sets become arrays. */
export const json = (reports: ReadonlyArray<Report>): string =>
  JSON.stringify(reports, (_, value: unknown) => value instanceof Set ? [...value] : value, 2)
