/** The command lines of the bench and of growth. */
import { parseArgs } from "node:util"
import { type StoreName, storeNames } from "./sides/persist.ts"

/** What `--help` prints. */
export const help = `npm run bench -- [options]

Measures persist beside the same work written by hand and beside other libraries; the sides take turns.

  --quick          short rounds, few of them and small stores: to see that it runs, not to be believed
  --json           prints the results as JSON
  --only NAME      only the workload of this name, or where none has it those whose name begins so; may be given
                   several times
  --skip NAME      without the workload of this name, or those whose name begins so; may be given several times
  --store STORE    only sqlite, file, postgres or memory; may be given several times
  --rounds N       how many rounds (9, quick 3)
  --no-peers       only ours and by hand: installs nothing, and --save isn't to be had
  --directory DIR  where stores are made (the system's temporary directory): the disk that is measured, but for the data
                   of a PostgreSQL that is started here, which lies in the system's temporary directory (TMPDIR)
  --compare        prints which rows moved more than the noise since bench/results.json; from 3 rounds on
  --save           writes bench/results.json, bench/results.md and the README's table after each workload; rows of runs
                   before stay, each with its machine, and so do those in which ours fails now; from 3 rounds on
  --list           prints the workloads
  --help

All of it takes some three hours on two cores, and with --quick half an hour; before each workload it says how long the
rest takes. It needs 10 GB where stores are made and, for PostgreSQL, in the temporary directory as well: up to three
stores of ten million events are there at a time (--only open; --skip open leaves 2 GB).

PostgreSQL is started for the run, or is the server that PERSIST_TEST_POSTGRES names by a superuser's URL. Other
libraries are installed below bench/peers when they are first needed. What a killed bench left in that directory the
next one removes. With PERSIST_BENCH_PROFILE=DIR each side writes a CPU profile there.

Ends with 0, with 1 where a side of ours failed, with 2 for a wrong option or where there is nothing to measure, to
compare with or to save to, with 3 where --compare found a row that moved on a machine like this one.
`

/** What was asked for. */
export interface Options {
  readonly quick: boolean
  readonly json: boolean
  readonly list: boolean
  readonly compare: boolean
  readonly save: boolean
  readonly peers: boolean
  readonly only: ReadonlyArray<string>
  readonly skip: ReadonlyArray<string>
  readonly stores: ReadonlyArray<StoreName>
  readonly rounds: number
  readonly directory: string | undefined
}

/** Reads the arguments; gives a text where they are wrong or ask for help. */
export const readOptions = (args: ReadonlyArray<string>): Options | { readonly wrong: string } | "help" => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        list: { type: "boolean", default: false },
        compare: { type: "boolean", default: false },
        save: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        "no-peers": { type: "boolean", default: false },
        only: { type: "string", multiple: true, default: [] },
        skip: { type: "string", multiple: true, default: [] },
        store: { type: "string", multiple: true, default: [] },
        rounds: { type: "string" },
        directory: { type: "string" }
      }
    })
    if (values.help) return "help"
    const stores = storesOf(values.store)
    if ("wrong" in stores) return stores
    const rounds = Number(values.rounds ?? (values.quick ? 3 : 9))
    if (!Number.isSafeInteger(rounds) || rounds < 1) return { wrong: "--rounds is a whole number from 1 on" }
    if ((values.compare || values.save) && rounds < 3) {
      return { wrong: "--compare and --save need 3 rounds: fewer don't say how far rounds are apart" }
    }
    if (values.save && values["no-peers"]) {
      return { wrong: "--save needs the other libraries: what they did before would be lost" }
    }
    const { compare, directory, json, list, only, quick, save, skip } = values
    return { quick, json, list, compare, save, peers: !values["no-peers"], only, skip, stores, rounds, directory }
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) }
  }
}

const storesOf = (named: ReadonlyArray<string>): ReadonlyArray<StoreName> | { readonly wrong: string } => {
  const unknown = named.find((name) => !storeNames.some((known) => known === name))
  if (unknown !== undefined) return { wrong: `there is no store ${unknown}: use ${storeNames.join(", ")}` }
  return storeNames.filter((name) => named.length === 0 || named.includes(name))
}

/** What `--help` of growth prints. */
export const growthHelp = `npm run bench:growth -- [options]

Fills stores with 10,000 events, 100,000, a million and so on up to the most, and measures the same work in each: first
what only reads, then what writes, so that there are more events by then.
Up to a million it takes some three minutes a store, up to ten million a quarter of an hour and 10 GB of room.

  --store STORE    only sqlite, file, postgres or memory; may be given several times
  --most EVENTS    the most events that a store is filled with (1000000; in memory a million at most)
  --directory DIR  where stores are made (the system's temporary directory): the disk that is measured, but for the data
                   of a PostgreSQL that is started here, which lies in the system's temporary directory (TMPDIR)
  --save           draws bench/growth-STORE.svg, and keeps the figures in bench/growth.json beside other stores'
  --replace        saves even over figures of another machine, or that go further
  --help

Prints what it has measured as JSON. Ends with 0, with 2 for a wrong option or where what is kept has to stay.
`

/** What growth was asked for. */
export interface GrowthOptions {
  readonly stores: ReadonlyArray<StoreName>
  readonly most: number
  readonly directory: string | undefined
  readonly save: boolean
  /** Whether figures of another machine, or that go further, are saved over. */
  readonly replace: boolean
}

/** Reads the arguments of growth; gives a text where they are wrong or ask for help. */
export const readGrowthOptions = (args: ReadonlyArray<string>): GrowthOptions | { readonly wrong: string } | "help" => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        store: { type: "string", multiple: true, default: [] },
        most: { type: "string", default: "1000000" },
        directory: { type: "string" },
        save: { type: "boolean", default: false },
        replace: { type: "boolean", default: false },
        help: { type: "boolean", default: false }
      }
    })
    if (values.help) return "help"
    const stores = storesOf(values.store)
    if ("wrong" in stores) return stores
    const most = Number(values.most)
    if (!Number.isSafeInteger(most) || most < 10_000) return { wrong: "--most is a whole number from 10000 on" }
    const { directory, replace, save } = values
    return { stores, most, directory, save, replace }
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) }
  }
}
