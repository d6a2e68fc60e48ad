/** Following the log: catching up, rebuilding a read model, and how long an event takes to its handler. */
import { microseconds, orderOf } from "../payload.ts"
import type { FeedSide, LogSide, Side } from "../sides/side.ts"
import { fillLog } from "./read.ts"
import { oneByOne, rate, type Sizes, type Workload } from "./workload.ts"

const catchingUp = (name: string, title: string, verb: "catchUp" | "rebuild"): Workload => ({
  name,
  title,
  figures: rate("events/s"),
  needs: ["log"],
  prepare: async (side, { log }) => {
    const run = side[verb]
    if (side.append === undefined || run === undefined) return undefined
    await fillLog(side.append, log)
    return { repeat: oneByOne(() => run(log)), each: log }
  }
})

type Append = NonNullable<LogSide["append"]>

const percentile = (numbers: ReadonlyArray<number>, part: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))] ?? NaN

const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

/** How late a timer may be, in milliseconds. */
const grace = 1

/**
 * Appends so many events a second, without waiting for one before the next is due. An event's time is when it's sent,
 * or, where that is later than a timer may be, when it was due: what holds up the appending holds up the event.
 */
const pace = async (append: Append, perSecond: number, events: number): Promise<void> => {
  const [from, began] = [performance.now(), microseconds()]
  const pending: Array<Promise<void>> = []
  for (let sent = 0; sent < events;) {
    const due = Math.min(events, Math.floor((performance.now() - from) * perSecond / 1000) + 1)
    for (; sent < due; sent++) {
      const latest = Math.ceil(began + (sent * 1000 / perSecond + grace) * 1000)
      const order = { ...orderOf(sent), sent: Math.min(microseconds(), latest) }
      const appended = append(1, 1, () => ({ stream: `paced-${sent % 64}`, orders: [order] }))
      // Told below, with all others.
      appended.catch(() => undefined)
      pending.push(appended)
    }
    // Until the next is due: by whole periods it would drift to anywhere between two events.
    await sleep(Math.max(1, from + sent * 1000 / perSecond - performance.now()))
  }
  await Promise.all(pending)
}

type Follow = NonNullable<FeedSide["followElsewhere"]>

/** Follows in this process, as `followElsewhere` does in another. */
export const followHere = (follow: NonNullable<FeedSide["follow"]>): Follow => (took) =>
  follow(({ sent }) => {
    if (sent > 0) took((microseconds() - sent) / 1000)
  })

const inSameProcess = ({ follow }: Side): Follow | undefined => follow && followHere(follow)

/** How long a handler may take for the last event, in milliseconds. */
const patience = 20_000

/** Milliseconds from before an append to its handler, of `events` events at a pace. */
export const latencyOf = async (append: Append, follow: Follow, perSecond: number, events: number) => {
  const taken: Array<number> = []
  const all = Promise.withResolvers<void>()
  const began = microseconds()
  const stop = await follow((millis) => {
    // Some hand out again what was there before, though they are told to begin at the end.
    if (millis * 1000 > microseconds() - began) return
    taken.push(millis)
    if (taken.length === events) all.resolve()
  })
  try {
    // Who follows from the end on has to have found it.
    await sleep(300)
    await pace(append, perSecond, events)
    const late = () =>
      all.reject(new Error(`its handler has had ${taken.length} of ${events} events ${patience / 1000} s after them`))
    const timer = setTimeout(late, patience)
    await all.promise.finally(() => clearTimeout(timer))
  } finally {
    await stop()
  }
  return { p50: percentile(taken, 0.5), p99: percentile(taken, 0.99) }
}

const latency = (
  name: string,
  title: string,
  { perSecond, times }: { readonly perSecond: number; readonly times: number },
  followOf: (side: Side) => Follow | undefined
): Workload => ({
  name,
  title,
  figures: { p50: { unit: "ms", better: "less" }, p99: { unit: "ms", better: "less" } },
  needs: ["log"],
  prepare: async (side, { round }: Sizes) => {
    const [append, follow] = [side.append, followOf(side)]
    if (append === undefined || follow === undefined) return undefined
    const events = Math.ceil(times * round)
    await latencyOf(append, follow, perSecond, events)
    return { measure: () => latencyOf(append, follow, perSecond, events) }
  }
})

/** One event, and nothing else for ten milliseconds: of a thousand the p99 is the tenth greatest. */
const idle = { perSecond: 100, times: 2 }

/** About half of what persist's slowest store reaches on two cores that its handler uses too. */
const half = { perSecond: 10_000, times: 10 }

const elsewhere = ({ followElsewhere }: Side) => followElsewhere

/** All that follow. */
export const feeds: ReadonlyArray<Workload> = [
  catchingUp("catch-up-handler", "a subscription catching up into a handler", "catchUp"),
  catchingUp("catch-up-model", "a read model over 20 keys, built from zero", "rebuild"),
  latency("latency-idle", "append to handler, 100 events a second", idle, inSameProcess),
  latency("latency-half", "append to handler, 10,000 events a second", half, inSameProcess),
  latency("latency-other", "append to a handler in another process, 100 events a second", idle, elsewhere),
  latency("latency-other-half", "append to a handler in another process, 10,000 events a second", half, elsewhere)
]
