/** Every example of the README and the docs is type-checked, runs, and prints what its page says. */
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { sharedPostgres } from "../servers/postgres.ts"
import { projectTree } from "../tidy/tree.ts"
import { blocksOf } from "./blocks.ts"
import type { Program } from "./program.ts"
import { faultOf, openWorkshop } from "./program.ts"

const project = projectTree()
const isPage = (path: string) => /^(README\.md|docs\/.+\.md|(packages\/[^/]+|conformance)\/README\.md)$/.test(path)
const runs = new Set(["ts", "sh run"])

const programsOf = (page: string, markdown: string): ReadonlyArray<Program> =>
  blocksOf(markdown).filter(({ info }) => runs.has(info)).map((block) => ({ ...block, at: `${page}:${block.line}` }))

const pages = [...project.paths].filter(isPage).sort().map((page) => ({
  page,
  programs: programsOf(page, project.text(page))
}))

const fenced = (info: string, code: string) => `\`\`\`${info}\n${code}\n\`\`\`\n`
type Sample = readonly [what: string, programs: ReadonlyArray<Program>]
const sample = (what: string, markdown: string): Sample => [
  what,
  programsOf(`a page with ${what}.md`, markdown)
]

const right: ReadonlyArray<Sample> = [
  sample("a comment that says what is printed", fenced("ts", "console.log(1 + 1) // => 2")),
  sample("a comment on a line of its own", fenced("ts", "for (const n of [1, 2]) console.log(n)\n// => 1\n// => 2")),
  sample("an output block", `${fenced("ts", "console.log('a')\nconsole.log('b')")}\n${fenced("text", "a\nb")}`),
  sample(
    "a package of the project",
    fenced("ts", `import { utf8Bytes } from "@persist/core"\nconsole.log(utf8Bytes("é")) // => 2`)
  ),
  sample("nothing", fenced("ts", "console.log('anything')")),
  sample("a shell block that runs", `${fenced("sh run", "npx echo a")}${fenced("text", "a")}`)
]

const wrong: ReadonlyArray<Sample> = [
  sample("another value", fenced("ts", "console.log(1 + 1) // => 3")),
  sample("a line too few", fenced("ts", "console.log(1) // => 1\nconsole.log(2)")),
  sample("a line too many", fenced("ts", "console.log(1) // => 1\n// => 2")),
  sample("another output block", `${fenced("ts", "console.log('a')")}\n${fenced("text", "b")}`),
  sample("a type error", fenced("ts", "const n: number = 'a'")),
  sample("an export that isn't there", fenced("ts", `import { nothing } from "@persist/core"\nconsole.log(nothing)`)),
  sample("an exception", fenced("ts", "throw new Error('no')")),
  sample("a shell block that fails", fenced("sh run", "false"))
]

// One workshop for all: the compiler needs as long for one program as for a hundred.
const every = [...pages.map(({ programs }) => programs), ...[...right, ...wrong].map(([, programs]) => programs)]
const workshop = openWorkshop(every.flat())
afterAll(() => workshop[Symbol.dispose]())
beforeAll(() => void workshop.typeErrors([]), 60_000)

// A program that asks for DATABASE_URL gets that of an empty database of its own, which is PostgreSQL's.
const faultsIn = (program: Program): Promise<string | undefined> =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const variables: Record<string, string> = program.code.includes("DATABASE_URL")
      ? { DATABASE_URL: yield* Effect.flatMap(sharedPostgres, ({ database }) => database) }
      : {}
    return faultOf(program, workshop.run(program, variables))
  })))

test("the README has an example that runs", () => {
  expect(pages.find(({ page }) => page === "README.md")?.programs.length ?? 0).toBeGreaterThan(0)
})

test("no example hides behind another name of the language", () => {
  const strays = pages.flatMap(({ page }) =>
    blocksOf(project.text(page)).filter(({ info }) => /^(typescript|tsx?\s|js\b|javascript|mjs|mts)/i.test(info))
      .map(({ info, line }) => `${page}:${line} ${info}`)
  )
  expect(strays, "mark examples as ts").toEqual([])
})

describe.each(pages.filter(({ programs }) => programs.length > 0))("$page", ({ programs }) => {
  // As long as its page: every program is a process of its own, on a machine that may be busy.
  test("its examples type-check and print what it says", { timeout: 30_000 + programs.length * 10_000 }, async () => {
    expect(workshop.typeErrors(programs)).toEqual([])
    const faults = []
    for (const program of programs) faults.push(await faultsIn(program))
    expect(faults.filter((fault) => fault !== undefined)).toEqual([])
  })
})

describe("what a page says", () => {
  const faultsOf = (programs: ReadonlyArray<Program>): ReadonlyArray<string> => {
    expect(programs).not.toEqual([])
    const faults = programs.flatMap((program) => faultOf(program, workshop.run(program)) ?? [])
    return [...workshop.typeErrors(programs), ...faults]
  }

  test.each(right)("holds for %s", (_, programs) => {
    expect(faultsOf(programs)).toEqual([])
  })

  test.each(wrong)("fails for %s", (_, programs) => {
    expect(faultsOf(programs)).not.toEqual([])
  })
})
