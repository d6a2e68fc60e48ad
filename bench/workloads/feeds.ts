/** Following the log: catching up, rebuilding a read model, and how long an event takes to its handler. */
import { microseconds, orderOf } from "../payload.ts"
import type { FeedSide, LogSide, Side } from "../sides/side.ts"
import { fillLog } from "./read.ts"
import { rate, type Sizes, type Workload } from "./workload.ts"

const catchingUp = (name: string, title: string, verb: "catchUp" | "rebuild"): Workload => ({
  name,
  title,
  figures: rate("events/s"),
  needs: ["log"],
  prepare: async (side, { log }) => {
    const run = side[verb]
    if (side.append === undefined || run === undefined) return undefined
    await fillLog(side.append, log)
    const repeat = async (count: number) => {
      for (let n = 0; n < count; n++) await run(log)
    }
    return { repeat, each: log }
  }
})

const percentile = (numbers: ReadonlyArray<number>, part: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))] ?? NaN

const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

/** Appends so many events a second, without waiting for one before the next is due. */
const pace = async (append: NonNullable<LogSide["append"]>, perSecond: number, events: number): Promise<void> => {
  const from = performance.now()
  const pending: Array<Promise<void>> = []
  for (let sent = 0; sent < events;) {
    const due = Math.min(events, Math.floor((performance.now() - from) * perSecond / 1000) + 1)
    for (; sent < due; sent++) {
      const order = { ...orderOf(sent), sent: microseconds() }
      pending.push(append(1, 1, () => ({ stream: `paced-${sent % 64}`, orders: [order] })))
    }
    await sleep(Math.max(1, 1000 / perSecond))
  }
  await Promise.all(pending)
}

/** What 64 appenders reach here, for a moment. */
const capacity = async (append: NonNullable<LogSide["append"]>): Promise<number> => {
  const once = async (each: number) => {
    const from = performance.now()
    await append(64, each, (client) => ({ stream: `paced-${client}`, orders: [orderOf(client)] }))
    return 64 * each * 1000 / (performance.now() - from)
  }
  await once(5)
  return await once(20)
}

type Follows = Side & Pick<Required<FeedSide>, "follow"> & Pick<Required<LogSide>, "append">

const follows = (side: Side): side is Follows => side.follow !== undefined && side.append !== undefined

/** Milliseconds from before an append to its handler, of `events` events at a pace. */
const measured = async (side: Follows, perSecond: number, events: number) => {
  const taken: Array<number> = []
  const all = Promise.withResolvers<void>()
  const stop = await side.follow(({ sent }) => {
    if (sent === 0) return
    taken.push((microseconds() - sent) / 1000)
    if (taken.length === events) all.resolve()
  })
  // Who follows from the end on has to have found it.
  await sleep(200)
  await pace(side.append, perSecond, events)
  await all.promise
  await stop()
  return { p50: percentile(taken, 0.5), p99: percentile(taken, 0.99) }
}

const figures = { p50: { unit: "ms", better: "less" }, p99: { unit: "ms", better: "less" } } as const

const latency = (name: string, title: string, half: boolean): Workload => ({
  name,
  title,
  figures,
  needs: ["log"],
  prepare: async (side, { round }: Sizes) => {
    if (!follows(side)) return undefined
    const perSecond = half ? await capacity(side.append) / 2 : 50
    const events = half ? Math.ceil(perSecond * round / 1000) : Math.ceil(round / 4)
    await measured(side, perSecond, events)
    return { measure: () => measured(side, perSecond, events) }
  }
})

/** All that follow. */
export const feeds: ReadonlyArray<Workload> = [
  catchingUp("catch-up-handler", "a subscription catching up into a handler", "catchUp"),
  catchingUp("catch-up-model", "a read model over 20 keys, built from zero", "rebuild"),
  latency("latency-idle", "append to handler, 50 events a second", false),
  latency("latency-half", "append to handler, at half of what 64 appenders reach", true)
]
