/** The program: asks the laws of every fixture that the modules named by --module export, and prints the scoreboard. */
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { type Fixture, isFixture } from "./fixture.ts"
import { laws } from "./laws.ts"
import { type Report, run } from "./runner.ts"
import { json, table } from "./scoreboard.ts"

const usage = `usage: node ${process.argv[1] ?? "bin.js"} [--json] --module ./my-fixture.ts [--module …]
Each module exports fixtures: { name, place }. Ends with 1 where a law is broken, with 2 where there is nothing to ask.`

interface Arguments {
  readonly asJson: boolean
  readonly modules: ReadonlyArray<string>
}

const parse = (words: ReadonlyArray<string>): Arguments | undefined => {
  const modules: Array<string> = []
  let asJson = false
  for (let at = 0; at < words.length; at++) {
    const module = words[at + 1]
    if (words[at] === "--json") asJson = true
    else if (words[at] === "--module" && module !== undefined) modules.push(words[++at] ?? module)
    else return undefined
  }
  return modules.length > 0 ? { asJson, modules } : undefined
}

// A path is one from the working directory, not from here.
const fixturesOf = Effect.fnUntraced(function*(module: string) {
  const url = new URL(module, `file://${process.cwd()}/`)
  const exported: unknown = yield* Effect.promise(() => import(url.href))
  return typeof exported === "object" && exported !== null ? Object.values(exported).filter(isFixture) : []
})

const main = Effect.gen(function*() {
  const given = parse(process.argv.slice(2))
  // What is exported twice, by a name and by default, is one.
  const fixtures = new Set<Fixture>()
  for (const module of given?.modules ?? []) for (const fixture of yield* fixturesOf(module)) fixtures.add(fixture)
  if (given === undefined || fixtures.size === 0) {
    process.stderr.write(given === undefined ? `${usage}\n` : `no fixture is exported by ${given.modules.join(", ")}\n`)
    return 2
  }
  const reports: Array<Report> = []
  for (const fixture of fixtures) reports.push(yield* run(fixture, laws))
  process.stdout.write(`${given.asJson ? json(reports) : table(reports)}\n`)
  return reports.every(({ passed, total }) => passed === total) ? 0 : 1
})

// What laws bring about is warned of, beside the scoreboard.
const talk = Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])

process.exitCode = await Effect.runPromise(Effect.provide(main, talk))
