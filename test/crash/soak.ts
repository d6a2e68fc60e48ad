/** The crash proof for as long as one likes: `npm run crash -- --help`. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Breach } from "./breach.ts"
import type { SceneName } from "./child/script.ts"
import { addBreaches, addRun, linesOf, noSums, type Sums, tableOf } from "./figures.ts"
import { losePower, powerLossFault } from "./power-loss.ts"
import { run } from "./run.ts"
import { findShim } from "./shim.ts"
import { help, type SoakOptions, soakOptions, WrongOption } from "./soak-options.ts"
import { blows, countCalls, strike } from "./strike.ts"
import { isInFiles, type Target } from "./target.ts"

// Everything that a commit can be, twice over: what is done again is not what is done first.
const scenes: ReadonlyArray<SceneName> = [
  "commit",
  "group",
  "keys",
  "mixture",
  "model",
  "snapshot",
  "compaction",
  "read",
  "mixture",
  "commit"
]

/** A soak under way. */
class Soak {
  readonly options: SoakOptions
  readonly sums: ReadonlyMap<Target, Sums>
  private readonly began = Date.now()
  private readonly library: string | undefined

  constructor(options: SoakOptions) {
    this.options = options
    this.sums = new Map(options.targets.map((target) => [target, noSums()]))
    const shim = findShim()
    this.library = "library" in shim ? shim.library : undefined
    if ("absent" in shim) this.say(`writers are only killed, and no system call fails: ${shim.absent}`)
  }

  get all(): Effect.Effect<void, unknown> {
    return Effect.gen({ self: this }, function*() {
      const { power, sweep } = this.options
      if (sweep) { for (const target of this.sums.keys()) yield* this.sweep(target) }
      const fault = powerLossFault()
      if (power && fault !== undefined) this.say(`no power is lost: ${fault}`)
      yield* this.runs(power && fault === undefined)
    })
  }

  get failed(): boolean {
    return [...this.sums.values()].some(({ breaches }) => breaches.size > 0)
  }

  print(): void {
    const { json } = this.options
    const named = [...this.sums].map(([{ name }, sums]) => [name, sums] as const)
    const seconds = Math.round((Date.now() - this.began) / 1000)
    if (json) {
      const figures = Object.fromEntries(named.map(([name, sums]) => [name, tableOf(sums)]))
      process.stdout.write(`${JSON.stringify({ seed: this.options.seed, seconds, targets: figures })}\n`)
      return
    }
    const lines = named.flatMap(([name, sums]) => linesOf(name, sums))
    process.stdout.write(`${lines.join("\n")}\nin ${seconds} s, from seed ${this.options.seed} on\n`)
  }

  private say(what: string): void {
    const seconds = String(Math.round((Date.now() - this.began) / 1000)).padStart(5)
    const line = `${seconds} s  ${what}\n`
    if (this.options.json) process.stderr.write(line)
    else process.stdout.write(line)
  }

  private judge(target: Target, found: ReadonlyArray<Breach & { readonly when?: string }>, again: string): void {
    const sums = this.sums.get(target)
    if (found.length === 0 || sums === undefined) return
    addBreaches(sums, found)
    this.say(`${target.name} BROKE ITS WORD ${found.length} times; again by: npm run crash -- ${again}`)
    for (const { kind, what, when } of found.slice(0, 10)) {
      this.say(`  ${kind}: ${what}${when === undefined ? "" : ` (${when})`}`)
    }
  }

  private readonly runs = Effect.fnUntraced({ self: this }, function*(power: boolean) {
    const { deadline, rounds, runs, seed } = this.options
    for (let n = 0; n < runs && Date.now() < deadline; n++) {
      for (const [target, sums] of this.sums) {
        if (Date.now() >= deadline) return
        const figures = yield* run({ target, seed: String(seed + n), library: this.library, rounds })
        addRun(sums, { ...figures, breaches: [] })
        this.say(`${target.name}, seed ${seed + n}: ${figures.acknowledged} commits, ${figures.kills} kills`)
        this.judge(target, figures.breaches, `--target ${target.name} --seed ${seed + n} --runs 1 --rounds ${rounds}`)
        if (power && n % 10 === 0) yield* this.losePower(target, String(seed + n))
      }
    }
  })

  private readonly losePower = Effect.fnUntraced({ self: this }, function*(target: Target, seed: string) {
    const sums = this.sums.get(target)
    if (this.library === undefined || sums === undefined || !isInFiles(target)) return
    const { copies, found } = yield* losePower(target, { library: this.library, seed, copies: 12 })
    sums.powerLosses += copies
    this.say(`${target.name}, seed ${seed}: lost its power ${copies} times`)
    this.judge(target, found, `--target ${target.name} --seed ${seed} --runs 1 --power`)
  })

  private readonly sweep = Effect.fnUntraced({ self: this }, function*(target: Target) {
    const { library } = this
    const sums = this.sums.get(target)
    if (library === undefined || sums === undefined || !isInFiles(target)) return
    const calls = yield* countCalls({ target, library, scenes })
    for (let at = 0; at < calls; at++) {
      for (const blow of blows) {
        const { found, struck } = yield* strike({ target, library, scenes, at, blow })
        if (struck) sums.failpoints++
        this.judge(target, found, `--target ${target.name} --sweep`)
      }
      if (at % 10 === 9) this.say(`${target.name}: ${at + 1} of ${calls} system calls swept`)
    }
  })
}

const main = (): void => {
  const options = soakOptions(process.argv.slice(2))
  if (options === "help") {
    process.stdout.write(help)
    return
  }
  const soak = new Soak(options)
  const fiber = Effect.runFork(soak.all)
  process.once("SIGINT", () => fiber.interruptUnsafe())
  fiber.addObserver((exit) => {
    soak.print()
    const broken = exit._tag === "Failure" && !Cause.hasInterruptsOnly(exit.cause)
    if (broken) process.stderr.write(`${Cause.pretty(exit.cause)}\n`)
    process.exitCode = soak.failed || broken ? 1 : 0
  })
}

try {
  main()
} catch (error) {
  if (!(error instanceof WrongOption)) throw error
  process.stderr.write(`${error.message}; npm run crash -- --help says what there is\n`)
  process.exitCode = 2
}
