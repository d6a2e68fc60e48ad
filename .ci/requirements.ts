/** Checks that every law and test which the table of requirements names ran and passed, by vitest's JSON report. */
import { readFileSync } from "node:fs"
import { join, relative, sep } from "node:path"
import { type Result, unmet } from "../test/requirements/met.ts"
import { requirementsOf, tablePath } from "../test/requirements/table.ts"

interface Report {
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly assertionResults: ReadonlyArray<{
      readonly ancestorTitles: ReadonlyArray<string>
      readonly title: string
      readonly status: string
    }>
  }>
}

const root = join(import.meta.dirname, "..")
const [, , path] = process.argv
if (path === undefined) throw new Error("pass the path of the report that vitest --reporter=json wrote")

// The reporter of the vitest that this project pins wrote it, in this shape.
const { testResults } = JSON.parse(readFileSync(path, "utf8")) as Report
const results = testResults.flatMap(({ assertionResults, name }): ReadonlyArray<Result> =>
  assertionResults.map(({ ancestorTitles, status, title }) => ({
    file: relative(root, name).split(sep).join("/"),
    titles: [...ancestorTitles, title],
    passed: status === "passed"
  }))
)
const rows = requirementsOf(readFileSync(join(root, tablePath), "utf8"))
const faults = unmet(rows, results)
for (const fault of faults) console.error(fault)

const later = rows.filter(({ shown }) => shown.every(({ _tag }) => _tag === "Later")).length
console.log(`${rows.length} requirements: ${rows.length - later} shown, ${later} later, ${faults.length} not borne out`)
if (faults.length > 0) process.exitCode = 1
