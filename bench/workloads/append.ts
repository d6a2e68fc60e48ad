/** Appending: alone, many at once, in batches, and against each other. */
import { orderOf } from "../payload.ts"
import { fewest } from "../sides/contend.ts"
import type { Appending } from "../sides/side.ts"
import { rate, type Workload } from "./workload.ts"

const streams = 1000

/** Appends to streams in turn: what each client appends to is its own. */
const appending = (title: string, clients: number, size: number): Workload => ({
  name: size > 1 ? `append-batch-${size}` : `append-${clients}`,
  title,
  figures: rate("events/s"),
  clients,
  needs: ["log"],
  prepare: async ({ append }) => {
    if (append === undefined) return undefined
    let made = 0
    const input = (client: number, call: number): Appending => {
      const n = made++
      // By its own calls: clients that go in step would otherwise keep to one stream each.
      const stream = `order-${client + clients * (call % Math.ceil(streams / clients))}`
      return { stream, orders: Array.from({ length: size }, (_, i) => orderOf(n + i)) }
    }
    return { repeat: (count) => append(clients, count, input), each: clients * size }
  }
})

/** Writers that all append to one stream, each event once it has seen the one before. */
const contending = (writers: number): Workload => ({
  name: `contend-${writers}`,
  title: `${writers} writers contending on one stream, with retry`,
  figures: {
    rate: { unit: "wins/s", better: "more" },
    "the writer with the fewest wins": { unit: "of a fair share", better: "more" }
  },
  clients: writers,
  needs: ["log"],
  prepare: async ({ contend, fold }, { round }) => {
    if (contend === undefined || fold === undefined) return undefined
    let answered = 0
    const measure = async () => {
      const from = performance.now()
      const wins = await contend(writers, 4 * round, "contended-1")
      const all = wins.reduce((sum, won) => sum + won, 0)
      const millis = performance.now() - from
      answered += all
      // What was answered as won has to be there, and nothing else.
      await fold(1, 1, () => ({ stream: "contended-1", events: answered })).catch((error: unknown) => {
        throw new Error(`of ${answered} events that it says were appended: ${String(error)}`)
      })
      return {
        rate: all * 1000 / millis,
        "the writer with the fewest wins": fewest(wins)
      }
    }
    await measure()
    return { measure }
  }
})

/** All that append. */
export const appends: ReadonlyArray<Workload> = [
  appending("append one event at a time", 1, 1),
  appending("64 concurrent appenders, one event each", 64, 1),
  appending("256 concurrent appenders, one event each", 256, 1),
  appending("append batches of 10", 1, 10),
  appending("append batches of 100", 1, 100),
  appending("append batches of 1,000", 1, 1000),
  contending(16)
]
