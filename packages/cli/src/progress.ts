/** Progress of long work on stderr: a bar that redraws itself on a terminal, otherwise a line every few seconds. */
import { counted, grouped, lasting } from "./printable.ts"

/** How far the work has come: `amount` of the whole, and events. */
export interface Done {
  readonly amount: number
  readonly events: number
}

/** How much there is to do, and how that is said: `6.4 MiB`. */
export interface Whole {
  readonly amount: number
  readonly text: string
}

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

/** Starts showing progress of something, `whole` of it where that's known; nothing is drawn where `json` is asked for. */
export const startProgress = (verb: string, whole: Whole | undefined, json: boolean): Progress => {
  const started = performance.now()
  const drawn = process.stderr.isTTY && !json
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
      const text = describe(verb, done, whole, now - started, drawn)
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

const describe = (
  verb: string,
  { amount, events }: Done,
  whole: Whole | undefined,
  elapsed: number,
  drawn: boolean
): string => {
  const rate = `${counted(events, "event")}, ${grouped(events / Math.max(elapsed, 1) * 1000)}/s`
  if (whole === undefined || whole.amount === 0) return `${verb} ${rate}`
  const part = Math.min(1, amount / whole.amount)
  const left = part === 0 ? "" : `, ${lasting(elapsed / part - elapsed)} left`
  const filled = Math.round(part * barWidth)
  const bar = drawn ? `${"█".repeat(filled)}${"░".repeat(barWidth - filled)} ` : ""
  return `${verb} ${bar}${Math.floor(part * 100)}% of ${whole.text}, ${rate}${left}`
}
