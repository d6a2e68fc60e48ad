/** Progress of long work on stderr: a bar that redraws itself on a terminal, otherwise a line every few seconds. */
import { counted, grouped, lasting } from "./printable.ts"

/** How far the work has come: `amount` of the whole, and how many things that were. */
export interface Done {
  readonly amount: number
  readonly things: number
}

/** How much there is to do, and how that is said: `6.4 MiB`. */
export interface Whole {
  readonly amount: number
  readonly text: string
}

/** A stretch of the store's order as the whole. */
export const positions = (amount: number): Whole => ({ amount, text: counted(amount, "position") })

/** What is shown while something goes on. */
export interface Progress {
  /** Shows how far it has come, if it is time to. */
  readonly update: (done: Done) => void
  /** Writes a line of talk without disturbing what is shown. */
  readonly say: (line: string) => void
  /** Takes away what is shown. */
  readonly clear: () => void
}

const redrawEvery = 100
const lineEvery = 5000
const barWidth = 24

/** What goes on: `verb` the `noun`s, `whole` of it where that's known. With `json` nothing is drawn. */
export interface Work {
  readonly verb: string
  readonly noun: string
  readonly whole: Whole | undefined
  readonly json: boolean
}

/** Starts showing progress. */
export const startProgress = (work: Work): Progress => {
  const started = performance.now()
  const drawn = process.stderr.isTTY && !work.json
  let last = started
  let shown = false
  const clear = () => {
    if (shown) process.stderr.write("\r\u001b[K")
    shown = false
  }
  return {
    update: (done) => {
      const now = performance.now()
      if (now - last < (drawn ? redrawEvery : lineEvery)) return
      last = now
      const text = describe(work, done, now - started, drawn)
      if (drawn) {
        process.stderr.write(`\r\u001b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`)
        shown = true
      } else process.stderr.write(`${text}\n`)
    },
    say: (line) => {
      clear()
      process.stderr.write(`${line}\n`)
    },
    clear
  }
}

const describe = ({ noun, verb, whole }: Work, { amount, things }: Done, elapsed: number, drawn: boolean): string => {
  const rate = `${counted(things, noun)}, ${grouped(things / Math.max(elapsed, 1) * 1000)}/s`
  if (whole === undefined || whole.amount === 0) return `${verb} ${rate}`
  const part = Math.min(1, amount / whole.amount)
  const left = part === 0 ? "" : `, ${lasting(elapsed / part - elapsed)} left`
  const filled = Math.round(part * barWidth)
  const bar = drawn ? `${"█".repeat(filled)}${"░".repeat(barWidth - filled)} ` : ""
  return `${verb} ${bar}${Math.floor(part * 100)}% of ${whole.text}, ${rate}${left}`
}
