/** Every requirement that is covered has its row, and every law, test and file that a row names is there. */
import { laws, storeLaws } from "@persist/conformance"
import { describe, expect, test } from "vitest"
import { exists, projectTree, treeOf } from "../tidy/tree.ts"
import { unmet } from "./met.ts"
import { coveredIds, meets, requirementsOf, type Shown, tablePath } from "./table.ts"
import { titlesOf } from "./titles.ts"

const tree = projectTree()
const markdown = tree.text(tablePath)
const rows = requirementsOf(markdown)
const known = new Set([...laws, ...storeLaws].map(({ name }) => name))

/** What is wrong with something a row names, in a sentence; `undefined` where it's there. */
const missing = (shown: Shown): string | undefined => {
  if (shown._tag === "Later") return undefined
  if (shown._tag === "Law") return known.has(shown.name) ? undefined : `the kit has no law "${shown.name}"`
  if (shown._tag === "File") return exists(tree, shown.path) ? undefined : `${shown.path} isn't there`
  if (!tree.paths.has(shown.file)) return `${shown.file} isn't there`
  const { groups, tests } = titlesOf(shown.file, tree)
  const title = shown.titles.at(-1) ?? ""
  const lost = shown.titles.slice(0, -1).find((group) => ![...groups].some((written) => meets(group, written)))
  if (lost !== undefined) return `${shown.file} has no group "${lost}"`
  return [...tests].some((written) =>
      meets(title, written) && (!isOpen(written) || tree.text(shown.file).includes(title))
    )
    ? undefined
    : `${shown.file} has no test "${title}"`
}

/** Whether a title has nothing of its own, so that it says nothing of what it may become. */
const isOpen = (written: string): boolean => meets("", written)

describe("the table of requirements", () => {
  test("has a row for each requirement that is covered, and no other", () => {
    const covered = coveredIds(markdown)
    expect(covered.length).toBeGreaterThan(150)
    expect(rows.map(({ id }) => id).sort()).toEqual([...covered].sort())
    expect(new Set(covered).size).toBe(covered.length)
  })

  test("says what each asks for", () => {
    expect(rows.filter(({ asks }) => asks === "").map(({ id }) => id)).toEqual([])
  })

  test("names only laws, tests and files that are there", () => {
    const faults = rows.flatMap(({ id, line, shown }) =>
      shown.flatMap((one) => {
        const what = missing(one)
        return what === undefined ? [] : [`${tablePath}:${line} ${id}: ${what}`]
      })
    )
    expect(faults).toEqual([])
  })

  test("names nothing twice in a row", () => {
    const twice = rows.filter(({ shown }) => new Set(shown.map((one) => JSON.stringify(one))).size < shown.length)
    expect(twice.map(({ id }) => id)).toEqual([])
  })

  test.each<[string, Shown]>([
    ["a law", { _tag: "Law", name: "a store does what it likes" }],
    ["a file", { _tag: "File", path: "docs/nowhere.md" }],
    ["a test file", { _tag: "Test", file: "test/nowhere.test.ts", titles: ["a"] }],
    ["a test", { _tag: "Test", file: "test/requirements/requirements.test.ts", titles: ["says what nobody asks for"] }],
    ["a case", { _tag: "Test", file: "test/core/bad-input.test.ts", titles: ["an input that nobody thought of"] }],
    ["a group", { _tag: "Test", file: "test/requirements/requirements.test.ts", titles: ["no group", "misses %s"] }]
  ])("misses %s that isn't there", (_, shown) => {
    expect(missing(shown)).toBeDefined()
  })
})

test("the guarantees name only laws and tests that are there", () => {
  const text = tree.text("docs/guarantees.md").replace(/\*\*[^*]*\*\*/g, "")
  const tests = [...text.matchAll(/`(test\/[^`]*\.test\.ts) › ([^`]+)`/g)].map(([, file = "", titles = ""]): Shown => ({
    _tag: "Test",
    file,
    titles: titles.split(" › ")
  }))
  // A law's sentence has at least four words; shorter ones in italics are names of families.
  const sentences = [...text.matchAll(/\*([^\s*]+(?: [^\s*]+){3,})\*/g)].map(([, name = ""]): Shown => ({
    _tag: "Law",
    name
  }))
  expect(tests.length).toBeGreaterThan(8)
  expect(sentences.length).toBeGreaterThan(8)
  expect([...tests, ...sentences].flatMap((shown) => missing(shown) ?? [])).toEqual([])
})

describe("reading the table", () => {
  test("takes rows apart, and refuses what it can't read", () => {
    expect(requirementsOf("| id | asks |\n| RT-1 | much | law: a<br>test: b.test.ts › c › d<br>later: e |")).toEqual([{
      id: "RT-1",
      line: 2,
      asks: "much",
      shown: [
        { _tag: "Law", name: "a" },
        { _tag: "Test", file: "b.test.ts", titles: ["c", "d"] },
        { _tag: "Later", why: "e" }
      ]
    }])
    for (const cell of ["", "a", "law:", "test: b.test.ts", "later: "]) {
      expect(() => requirementsOf(`| RT-1 | much | ${cell} |`), cell).toThrow("line 1")
    }
    expect(() => requirementsOf("| RT-1 | much |")).toThrow("line 1")
  })

  test("writes ranges out", () => {
    expect(coveredIds("## What is covered\nRT-1…3, R-002-9\n## Rows\nRT-7")).toEqual([
      "RT-1",
      "RT-2",
      "RT-3",
      "R-002-9"
    ])
  })

  test("knows no title of what is skipped", () => {
    const file = "test/a.test.ts"
    const source =
      `describe("a", () => {\n  it.effect.each([1])("b %d", f)\n  it.skip("c", f)\n  test(\`d \${e}\`, f)\n})`
    expect(titlesOf(file, treeOf({ [file]: source }))).toEqual({
      tests: new Set(["b %d", "d ${e}"]),
      groups: new Set(["a"])
    })
  })
})

describe("what ran", () => {
  const [memory, sqlite] = [
    "test/backend-memory/conformance.test.ts",
    "test/backend-sqlite/conformance.test.ts"
  ] as const
  const ran = (file: string, titles: ReadonlyArray<string>, passed = true) => ({ file, titles, passed })
  const law = "| RT-1 | much | law: a |"
  const named = "| RT-1 | much | test: b.test.ts › c › d |"

  test.each([
    ["a law held by every store", law, [ran(memory, ["m", "a"]), ran(sqlite, ["s", "a"])]],
    ["a test that passed", named, [ran("b.test.ts", ["c", "d"])]],
    ["a title cut short", named, [ran("b.test.ts", ["…", "d"])]],
    ["what comes later", "| RT-1 | much | later: e |", []]
  ])("meets the table: %s", (_, row, results) => {
    expect(unmet(requirementsOf(row), results)).toEqual([])
  })

  test.each([
    ["a law that one store wasn't asked", law, [ran(memory, ["m", "a"])]],
    ["a law that one store broke", law, [ran(memory, ["m", "a"]), ran(sqlite, ["s", "a"], false)]],
    ["a test that failed", named, [ran("b.test.ts", ["c", "d"], false)]],
    ["a test that didn't run", named, [ran("b.test.ts", ["c", "e"])]],
    ["a test of another group", named, [ran("b.test.ts", ["d"])]]
  ])("leaves the table unmet: %s", (_, row, results) => {
    expect(unmet(requirementsOf(row), results)).toHaveLength(1)
  })
})
