/** The bench: every workload on every store, persist beside the same by hand and beside other libraries. */
import { commitOf, describeMachine } from "./harness/machine.ts"
import type { Places } from "./harness/place.ts"
import { makeProgress } from "./harness/progress.ts"
import { oursFailed, type Row } from "./harness/row.ts"
import { runWorkload } from "./harness/run.ts"
import { endingWith, Unusable } from "./harness/unusable.ts"
import { withinPlaces } from "./harness/within-places.ts"
import { help, type Options, readOptions } from "./options.ts"
import { installPeers } from "./peers/install.ts"
import { reportOf } from "./report/report.ts"
import { incomparable, keepResults, keptResults, moved, type Results, unlike } from "./report/results.ts"
import { lineOf } from "./report/table.ts"
import type { Sizes, Workload } from "./workloads/workload.ts"
import { workloads } from "./workloads/workloads.ts"

const say = (line: string): void => void process.stderr.write(`${line}\n`)

const sizes = (quick: boolean): Sizes =>
  quick
    ? { log: 10_000, large: 40_000, keys: 2000, open: 20_000, round: 60 }
    : { log: 200_000, large: 1_000_000, keys: 100_000, open: 10_000_000, round: 500 }

/** Measures one workload after another and hands its rows to `keep`; all rows that it has found. */
const measure = async (
  options: Options,
  chosen: ReadonlyArray<Workload>,
  places: Places,
  keep: (rows: ReadonlyArray<Row>) => void
) => {
  const plan = {
    rounds: options.rounds,
    commit: commitOf(),
    sizes: sizes(options.quick),
    // Some libraries take an hour for what others do in a minute.
    within: { prepare: options.quick ? 120_000 : 300_000, round: 60_000 },
    peers: options.peers,
    say
  }
  const progress = makeProgress(options.stores.length * chosen.length)
  const rows: Array<Row> = []
  for (const store of options.stores) {
    for (const workload of chosen) {
      say(`${progress()} ${store}: ${workload.title}`)
      const found = await runWorkload(store, workload, places, plan)
      for (const row of found) if (row.figure !== "cpu") say(`  ${lineOf(row)}`)
      rows.push(...found)
      keep(found)
    }
  }
  return rows
}

/** Prints and compares results; the code to end with. */
const tell = (options: Options, before: Results | undefined, results: Results): number => {
  process.stdout.write(options.json ? `${JSON.stringify(results, undefined, 2)}\n` : reportOf(results, "measured"))
  const changes = before === undefined ? [] : moved(before, results)
  if (before !== undefined) {
    const all = results.rows.length
    const compared = all - incomparable(before, results)
    say(`${changes.length} of ${compared} rows moved${compared < all ? `, ${all - compared} can't be compared` : ""}`)
    for (const change of changes) say(`  ${change}`)
  }
  if (results.rows.some(oursFailed)) return 1
  return changes.length > 0 ? 3 : 0
}

/** Measures in places that go with it; the code to end with. */
const runAt = async (options: Options, chosen: ReadonlyArray<Workload>, places: Places): Promise<number> => {
  const { quick } = options
  const machine = {
    ...describeMachine(places.directory),
    ...options.stores.includes("postgres") ? { postgres: await places.postgres() } : {}
  }
  const before = options.save || options.compare ? keptResults() : undefined
  if (before !== undefined && before.quick !== quick) {
    const kind = quick ? "wasn't" : "was"
    throw new Unusable(`bench/results.json is of a run that ${kind} quick: run without --save and --compare`)
  }
  if (options.compare && before === undefined) {
    throw new Unusable("there is no bench/results.json to compare with: run with --save first")
  }
  if (options.compare && before?.machines.every((kept) => unlike(kept, machine) !== undefined)) {
    const [why] = before.machines.flatMap((kept) => unlike(kept, machine) ?? [])
    throw new Unusable(`bench/results.json has nothing of such a machine: ${why}. Run without --compare`)
  }
  if (options.peers && !await installPeers(say) && options.save) {
    throw new Unusable("not all other libraries are there: what they did before would be lost by --save")
  }
  const rows = await measure(options, chosen, places, (found) => {
    if (!options.save) return
    keepResults({ machines: [machine], quick, rows: found })
    if (found.some(oursFailed)) say("  not saved: ours failed")
  })
  if (rows.length === 0) throw new Unusable("no side of these stores does what was chosen: see --list and --store")
  return tell(options, options.compare ? before : undefined, { machines: [machine], quick, rows })
}

/** Whether a workload is what an option names: by its name, or where none has that name by how its own begins. */
const isMeant = (name: string, named: string): boolean =>
  workloads.some((workload) => workload.name === named) ? name === named : name.startsWith(named)

const main = async (): Promise<number> => {
  const options = readOptions(process.argv.slice(2))
  if (options === "help") {
    process.stdout.write(help)
    return 0
  }
  if ("wrong" in options) {
    say(`${options.wrong}: see --help`)
    return 2
  }
  const chosen = workloads.filter(({ name }) =>
    (options.only.length === 0 || options.only.some((only) => isMeant(name, only)))
    && !options.skip.some((skip) => isMeant(name, skip))
  )
  if (options.list) {
    for (const { name, title } of chosen) process.stdout.write(`${name.padEnd(24)}${title}\n`)
    return 0
  }
  const names = [...options.only, ...options.skip]
  const stray = names.find((part) => !workloads.some(({ name }) => part !== "" && name.startsWith(part)))
  if (stray !== undefined) {
    say(`no workload's name begins with "${stray}": see --list`)
    return 2
  }
  if (chosen.length === 0) {
    say("no workload is left by --only and --skip: see --list")
    return 2
  }
  return await withinPlaces(options.directory, (places) => runAt(options, chosen, places))
}

process.exitCode = await endingWith(main)
