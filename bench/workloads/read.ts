/** Reading: streams that are folded, from their start and from a snapshot, and the whole log. */
import { orderOf } from "../payload.ts"
import type { LogSide } from "../sides/side.ts"
import { oneByOne, rate, timed, type Workload } from "./workload.ts"

/** Fills streams with so many events each, a hundred at a time in turn: longer ones don't lie in one piece. */
export const fillStreams = async (append: NonNullable<LogSide["append"]>, streams: number, events: number) => {
  const batch = Math.min(events, 100)
  // Streams of one batch are nobody's turn but their own, so that many go at once.
  const clients = events > batch ? 1 : 50
  let made = 0
  await append(clients, streams * Math.ceil(events / batch) / clients, () => {
    const call = made++
    const from = Math.floor(call / streams) * batch
    const orders = Array.from({ length: Math.min(batch, events - from) }, (_, i) => orderOf(call + i))
    return { stream: `read-${call % streams}`, orders }
  })
}

/** Fills a log with so many events, a thousand at once, in turn to streams of some 5,000. */
export const fillLog = async (append: NonNullable<LogSide["append"]>, events: number) => {
  const batch = 1000
  await append(1, Math.ceil(events / batch), (_client, call) => ({
    stream: `log-${call % Math.ceil(events / 5000)}`,
    orders: Array.from({ length: Math.min(batch, events - call * batch) }, (_, i) => orderOf(call * batch + i))
  }))
}

const folding = (length: number, title: string, streams: number): Workload => ({
  name: `fold-${length}`,
  title,
  figures: rate("events/s"),
  needs: ["log"],
  prepare: async ({ append, fold }) => {
    if (append === undefined || fold === undefined) return undefined
    await fillStreams(append, streams, length)
    let next = 0
    const input = () => ({ stream: `read-${next++ % streams}`, events: length })
    return { repeat: (count) => fold(1, count, input), each: length }
  }
})

/** What a load from a snapshot costs beside folding a short stream. */
const loading: Workload = {
  name: "load-snapshot",
  title: "load an aggregate of 10,000 events with a snapshot",
  figures: {
    rate: { unit: "loads/s", better: "more" },
    "times a fold of 20": { unit: "times", better: "less" }
  },
  needs: ["log"],
  prepare: async ({ append, fold, load, saveSnapshot }) => {
    if (append === undefined || fold === undefined || load === undefined || saveSnapshot === undefined) return undefined
    await fillStreams(append, 1, 10_000)
    await append(1, 1, () => ({ stream: "short", orders: Array.from({ length: 20 }, (_, i) => orderOf(i)) }))
    await saveSnapshot("read-0")
    const calls = 200
    const measure = async () => {
      const loads = await timed(() => load(1, calls, () => ({ stream: "read-0", events: 10_000 })))
      const folds = await timed(() => fold(1, calls, () => ({ stream: "short", events: 20 })))
      return { rate: calls * 1000 / loads, "times a fold of 20": loads / folds }
    }
    await measure()
    return { measure }
  }
}

const readingAll = (name: string, title: string, size: "log" | "large"): Workload => ({
  name,
  title,
  figures: { ...rate("events/s"), memory: { unit: "MiB more at most", better: "less" } },
  needs: ["log"],
  prepare: async ({ append, readAll }, { [size]: events }) => {
    if (append === undefined || readAll === undefined) return undefined
    await fillLog(append, events)
    return { repeat: oneByOne(() => readAll(events)), each: events, memory: true }
  }
})

/** All that read. */
export const reads: ReadonlyArray<Workload> = [
  folding(20, "read and fold streams of 20 events", 1000),
  folding(1000, "read and fold streams of 1,000 events", 20),
  folding(10_000, "read and fold streams of 10,000 events", 4),
  loading,
  readingAll("read-all", "read all of 200,000 events, in pages", "log"),
  readingAll("read-all-large", "read all of 1,000,000 events, in pages", "large")
]
