/** The table of requirements: which ones it is about, and what each of its rows says shows it. */

/** What shows a requirement: a law of the kit, a test by its titles from the outside in, or a file to read. */
export type Shown =
  | { readonly _tag: "Law"; readonly name: string }
  | { readonly _tag: "Test"; readonly file: string; readonly titles: ReadonlyArray<string> }
  | { readonly _tag: "File"; readonly path: string }
  | { readonly _tag: "Later"; readonly why: string }

/** One row: what is asked for, and what shows it. */
export interface Requirement {
  readonly id: string
  /** The line of the table it stands in, from 1. */
  readonly line: number
  readonly asks: string
  readonly shown: ReadonlyArray<Shown>
}

/** Where the table is. */
export const tablePath = "plans/requirements.md"

const idForm = /^(R-\d{3}|RT)-\d+$/

/** Every row of the table. Throws, naming the line, where one can't be read. */
export const requirementsOf = (markdown: string): ReadonlyArray<Requirement> =>
  markdown.split("\n").flatMap((text, n) => {
    const cells = text.split("|").slice(1, -1).map((cell) => cell.trim())
    const [id = "", asks = "", shown = ""] = cells
    if (!idForm.test(id)) return []
    const line = n + 1
    if (cells.length !== 3) throw new Error(`line ${line}: a row has three cells, not ${cells.length}`)
    return [{ id, line, asks, shown: shown.split("<br>").map((item) => shownOf(item.trim(), line)) }]
  })

const shownOf = (text: string, line: number): Shown => {
  const [, kind, said = ""] = /^(law|test|file|later): (\S.*)$/.exec(text) ?? []
  if (kind === "law") return { _tag: "Law", name: said }
  if (kind === "file") return { _tag: "File", path: said }
  if (kind === "later") return { _tag: "Later", why: said }
  const [file = "", ...titles] = said.split(" › ")
  if (kind === "test" && titles.length > 0) return { _tag: "Test", file, titles }
  throw new Error(`line ${line}: write law: …, test: file › title, file: … or later: …, not ${JSON.stringify(text)}`)
}

/** The ids that the section "What is covered" lists, ranges such as `R-002-1…64` written out. */
export const coveredIds = (markdown: string): ReadonlyArray<string> => {
  const section = /^## What is covered\n([^]*?)^## /m.exec(markdown)?.[1] ?? ""
  return [...section.matchAll(/\b(R-\d{3}|RT)-(\d+)(?:…(\d+))?/g)].flatMap(([, group, from, to]) => {
    const first = Number(from)
    return Array.from({ length: Number(to ?? from) - first + 1 }, (_, n) => `${group}-${first + n}`)
  })
}

/** Whether a title as it was run or written meets one with places to fill, such as `%s`, `$name` or `${name}`. */
export const meets = (title: string, written: string): boolean =>
  title === written || new RegExp(`^${written.split(places).map(escaped).join(".*")}$`, "s").test(title)

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")

const places = /%[sdifjopc#$]|\$\{[^}]*\}|\$[a-z][\w.]*/i
