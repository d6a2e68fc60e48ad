/** Whether what the table of requirements names was really run, and passed. */
import { meets, type Requirement, type Shown } from "./table.ts"

/** One test that was run: its titles from the outside in, its file from the project's root. */
export interface Result {
  readonly file: string
  readonly titles: ReadonlyArray<string>
  readonly passed: boolean
}

/** Where each store is asked the laws. */
const asked = ["test/backend-memory/conformance.test.ts", "test/backend-sqlite/conformance.test.ts"]

/** What the table claims and the results don't bear out, a sentence each. */
export const unmet = (rows: ReadonlyArray<Requirement>, results: ReadonlyArray<Result>): ReadonlyArray<string> => {
  const byFile = Map.groupBy(results, ({ file }) => file)
  return rows.flatMap(({ id, shown }) =>
    shown.flatMap((one) =>
      claims(one).flatMap(({ file, titles }) => {
        const runs = (byFile.get(file) ?? []).filter((result) => isOf(result, titles))
        const what = runs.length === 0 ? "did not run" : runs.every(({ passed }) => passed) ? undefined : "failed"
        return what === undefined ? [] : [`${id}: ${file} › ${titles.join(" › ")} ${what}`]
      })
    )
  )
}

const claims = (shown: Shown): ReadonlyArray<Pick<Result, "file" | "titles">> =>
  shown._tag === "Law"
    ? asked.map((file) => ({ file, titles: [shown.name] }))
    : shown._tag === "Test"
    ? [shown]
    : []

// A law's sentence is meant letter by letter; the title of a test may have places that were filled when it ran.
const isOf = ({ titles }: Result, wanted: ReadonlyArray<string>): boolean => {
  const last = wanted.length - 1
  return isTitle(titles.at(-1) ?? "", wanted[last] ?? "") &&
    wanted.slice(0, last).every((group) => titles.slice(0, -1).some((title) => isTitle(title, group)))
}

// Vitest cuts what fills a place short where it's long.
const isTitle = (title: string, wanted: string): boolean =>
  meets(title, wanted) || title.endsWith("…") && wanted.startsWith(title.slice(0, -1))
