/** The bench: every workload on every store, persist beside the same by hand and beside other libraries. */
import { endChildren } from "./harness/child.ts"
import { describeMachine } from "./harness/machine.ts"
import { makePlaces, type Places } from "./harness/place.ts"
import { type Row, runWorkload } from "./harness/run.ts"
import { help, type Options, readOptions } from "./options.ts"
import { installPeers } from "./peers/install.ts"
import { keepResults, keptResults, moved, reportOf, type Results } from "./report/results.ts"
import { lineOf } from "./report/table.ts"
import type { Sizes, Workload } from "./workloads/workload.ts"
import { workloads } from "./workloads/workloads.ts"

const say = (line: string): void => void process.stderr.write(`${line}\n`)

const sizes = (quick: boolean): Sizes =>
  quick
    ? { log: 10_000, keys: 2000, open: 20_000, round: 60 }
    : { log: 200_000, keys: 100_000, open: 10_000_000, round: 500 }

/** Measures; the rows that it has found. */
const measure = async (options: Options, chosen: ReadonlyArray<Workload>, places: Places) => {
  const plan = {
    rounds: options.rounds,
    sizes: sizes(options.quick),
    within: options.quick ? 120_000 : 600_000,
    peers: options.peers,
    say
  }
  const rows: Array<Row> = []
  for (const store of options.stores) {
    for (const workload of chosen) {
      say(`${store}: ${workload.title}`)
      const found = await runWorkload(store, workload, places, plan)
      for (const row of found) if (row.figure !== "cpu") say(`  ${lineOf(row)}`)
      rows.push(...found)
    }
  }
  return rows
}

/** Prints, compares and keeps results; the code to end with. */
const tell = (options: Options, results: Results): number => {
  process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : reportOf(results))
  const before = keptResults()
  const changes = options.compare && before !== undefined ? moved(before, results) : []
  if (options.compare) {
    say(before === undefined ? "there are no results to compare with" : `${changes.length} rows moved`)
    for (const change of changes) say(`  ${change}`)
  }
  if (options.save) keepResults(results)
  const failed = results.rows.flatMap((row) => row.sides).some(({ absent, kind }) =>
    kind === "ours" && absent?.startsWith("failed") === true
  )
  if (failed) return 1
  return changes.length > 0 ? 3 : 0
}

const run = async (options: Options, chosen: ReadonlyArray<Workload>): Promise<number> => {
  const places = makePlaces(options.directory)
  const end = (code: number) => () => {
    endChildren()
    places.remove()
    process.exit(code)
  }
  process.once("SIGINT", end(130))
  process.once("SIGTERM", end(143))
  try {
    if (options.peers && !installPeers(say)) say("other libraries aren't installed: they are left out")
    const rows = await measure(options, chosen, places)
    const postgres = options.stores.includes("postgres") ? { postgres: await places.postgres() } : {}
    const machine = { ...describeMachine(places.directory), ...postgres }
    const { quick, rounds } = options
    return tell(options, { machine, at: new Date().toISOString(), quick, rounds, rows })
  } finally {
    endChildren()
    places.remove()
  }
}

const main = async (): Promise<number> => {
  const options = readOptions(process.argv.slice(2))
  if (options === "help") {
    process.stdout.write(help)
    return 0
  }
  if ("wrong" in options) {
    say(`${options.wrong}\n\n${help}`)
    return 2
  }
  const chosen = workloads.filter(({ name }) =>
    options.only.length === 0 || options.only.some((only) => name.startsWith(only))
  )
  if (options.list) {
    for (const { name, title } of chosen) process.stdout.write(`${name.padEnd(24)}${title}\n`)
    return 0
  }
  if (chosen.length === 0) {
    say(`no workload's name begins with ${options.only.join(" or ")}: see --list`)
    return 2
  }
  return await run(options, chosen)
}

process.exitCode = await main()
