/** A clock that stands still until a test moves it, for everything in the process that asks for the date. */
import { Invalid } from "@persist/core"
import { timeFault } from "@persist/core/fault"
import { defaultTime } from "./history.ts"

/** The time of the process, in the hands of a test. */
export interface FakeClock extends Disposable {
  /** Milliseconds since 1970, as `Date.now` gives them. */
  readonly now: () => number
  /** Moves it on by milliseconds; back where they are negative. Throws `Invalid` for what is no whole number. */
  readonly advance: (milliseconds: number) => void
  /** Sets it. Throws `Invalid` for what is no time. */
  readonly set: (time: Date | number) => void
}

let running = false

/**
 * Stops the time: until the end of its block `using clock = fakeClock()` is what `Date.now()` and `new Date()` say, in
 * your code and in stores opened with Promises, which ask them when an event, a key or a snapshot is written. Timers go
 * on as they are, so nothing hangs that waits. It's one for the whole process: tests that run at the same time in one
 * process share it. Throws `Invalid` where another one is running, and for what is no time. It begins with 2026.
 */
export const fakeClock = (start: Date | number = defaultTime): FakeClock => {
  let now = timeOf("start", start)
  if (running) throw another
  running = true
  const real = Date
  const realNow = Object.getOwnPropertyDescriptor(real, "now")
  const realDate = Object.getOwnPropertyDescriptor(globalThis, "Date")
  if (realNow === undefined || realDate === undefined) throw new Error("there is no Date to stop")
  Object.defineProperty(real, "now", { ...realNow, value: () => now })
  const stopped = new Proxy(real, {
    apply: (date) => new date(now).toString(),
    construct: (date, args, made): object => Reflect.construct(date, args.length === 0 ? [now] : args, made)
  })
  Object.defineProperty(globalThis, "Date", { ...realDate, value: stopped })
  return {
    now: () => now,
    advance: (milliseconds) => {
      now = timeOf("milliseconds", now + milliseconds)
    },
    set: (time) => {
      now = timeOf("time", time)
    },
    [Symbol.dispose]: () => {
      Object.defineProperty(real, "now", realNow)
      Object.defineProperty(globalThis, "Date", realDate)
      running = false
    }
  }
}

const timeOf = (field: string, time: Date | number): number => {
  const at = time instanceof Date ? time.getTime() : time
  const fault = timeFault(field, at)
  if (fault !== undefined) throw fault
  return at
}

const another = new Invalid({
  field: "fakeClock",
  reason: "another one is running",
  remedy: "let one stand for the whole test, and move it"
})
