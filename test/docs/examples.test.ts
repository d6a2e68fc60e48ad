/** Every example of the README and the docs is type-checked, runs, and prints what its page says. */
import * as Effect from "effect/Effect"
import { describe, expect, test } from "vitest"
import { sharedPostgres } from "../servers/postgres.ts"
import { projectTree } from "../tidy/tree.ts"
import { blocksOf } from "./blocks.ts"
import type { Program, Workshop } from "./program.ts"
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

// A program that asks for DATABASE_URL gets that of an empty database of its own, which is PostgreSQL's.
const faultsIn = (workshop: Workshop, program: Program): Promise<string | undefined> =>
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
    using workshop = openWorkshop(programs)
    expect(workshop.typeErrors()).toEqual([])
    const faults = []
    for (const program of programs) faults.push(await faultsIn(workshop, program))
    expect(faults.filter((fault) => fault !== undefined)).toEqual([])
  })
})

describe("what a page says", () => {
  const fenced = (info: string, code: string) => `\`\`\`${info}\n${code}\n\`\`\`\n`
  const faultsOf = (markdown: string): ReadonlyArray<string> => {
    const programs = programsOf("page.md", markdown)
    expect(programs).not.toEqual([])
    using workshop = openWorkshop(programs)
    return [...workshop.typeErrors(), ...programs.flatMap((program) => faultOf(program, workshop.run(program)) ?? [])]
  }

  test.each([
    ["a comment that says what is printed", fenced("ts", "console.log(1 + 1) // => 2")],
    ["a comment on a line of its own", fenced("ts", "for (const n of [1, 2]) console.log(n)\n// => 1\n// => 2")],
    ["an output block", `${fenced("ts", "console.log('a')\nconsole.log('b')")}\n${fenced("text", "a\nb")}`],
    [
      "a package of the project",
      fenced("ts", `import { utf8Bytes } from "@persist/core"\nconsole.log(utf8Bytes("é")) // => 2`)
    ],
    ["nothing", fenced("ts", "console.log('anything')")],
    ["a shell block that runs", `${fenced("sh run", "npx echo a")}${fenced("text", "a")}`]
  ])("holds for %s", (_, markdown) => {
    expect(faultsOf(markdown)).toEqual([])
  })

  test.each([
    ["another value", fenced("ts", "console.log(1 + 1) // => 3")],
    ["a line too few", fenced("ts", "console.log(1) // => 1\nconsole.log(2)")],
    ["a line too many", fenced("ts", "console.log(1) // => 1\n// => 2")],
    ["another output block", `${fenced("ts", "console.log('a')")}\n${fenced("text", "b")}`],
    ["a type error", fenced("ts", "const n: number = 'a'")],
    ["an export that isn't there", fenced("ts", `import { nothing } from "@persist/core"\nconsole.log(nothing)`)],
    ["an exception", fenced("ts", "throw new Error('no')")],
    ["a shell block that fails", fenced("sh run", "false")]
  ])("fails for %s", (_, markdown) => {
    expect(faultsOf(markdown)).not.toEqual([])
  })
})
