/** What a soak is told to do, on its command line. */
import { parseArgs } from "node:util"
import { type Target, targets } from "./target.ts"

/** How long, on what, and with which faults. */
export interface SoakOptions {
  /** When no new run is begun any more, in milliseconds since 1970. */
  readonly deadline: number
  readonly runs: number
  readonly seed: number
  readonly targets: ReadonlyArray<Target>
  readonly rounds: number
  readonly sweep: boolean
  readonly power: boolean
  readonly json: boolean
}

/** What `--help` says. */
export const help =
  `Kills writers, fails their disk and takes their power away; compares what their stores hold with all that they said.

  npm run crash -- [options]

  --minutes N   how long, 1 by default
  --runs N      or how many runs on each kind of store
  --seed S      a whole number: the seed of the first run; each next one's is one higher. By default by the clock
  --target T    ${[...targets.map(({ name }) => name), "all"].join(", ")} (the default); or how several begin
  --rounds N    generations of writers in a run, 6 by default
  --sweep       first each system call of a script: killed before, in the middle and after it, EIO, ENOSPC
  --power       losses of power on a real file system too, which takes root
  --json        the figures as JSON on standard output; everything else goes to standard error
  --help

The load of a run and its faults follow from its seed; which of several processes is the faster doesn't, so that a run
that failed may have to be repeated to fail again. A run that fails says how. Exit codes: 0 where all kept their word,
1 where one didn't, 2 for wrong options. Ctrl-C ends it with the figures so far.
`

/** Options that can't be, in words that name the option. */
export class WrongOption extends Error {}

const whole = (name: string, text: string | undefined, otherwise: number): number => {
  if (text === undefined) return otherwise
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw new WrongOption(`--${name}: ${text} is no whole number`)
}

const targetsNamed = (name = "all"): ReadonlyArray<Target> => {
  const found = targets.filter((target) => name === "all" || target.name.startsWith(name))
  if (found.length === 0) throw new WrongOption(`--target: there is no ${name}`)
  return found
}

const parse = (args: ReadonlyArray<string>) => {
  const text = { type: "string" } as const
  const flag = { type: "boolean", default: false } as const
  const options = {
    minutes: text,
    runs: text,
    seed: text,
    target: text,
    rounds: text,
    sweep: flag,
    power: flag,
    json: flag,
    help: flag
  }
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (cause) {
    throw new WrongOption(cause instanceof Error ? cause.message : String(cause))
  }
}

/** Reads a command line; `"help"` where that is asked for. Throws `WrongOption`. */
export const soakOptions = (args: ReadonlyArray<string>): SoakOptions | "help" => {
  const values = parse(args)
  if (values.help) return "help"
  const minutes = whole("minutes", values.minutes, values.runs === undefined ? 1 : Infinity)
  return {
    deadline: Date.now() + minutes * 60_000,
    runs: whole("runs", values.runs, Infinity),
    seed: whole("seed", values.seed, Date.now() % 1_000_000),
    targets: targetsNamed(values.target),
    rounds: whole("rounds", values.rounds, 6),
    sweep: values.sweep,
    power: values.power,
    json: values.json
  }
}
