/** Appending: alone, many at once, in batches, and against each other. */
import { orderOf } from "../payload.ts"
import type { Appending } from "../sides/side.ts"
import { rate, type Workload } from "./workload.ts"

const streams = 1000

/** Appends to streams in turn: what each client appends to is its own. */
const appending = (title: string, clients: number, size: number): Workload => ({
  name: size > 1 ? `append-batch-${size}` : `append-${clients}`,
  title,
  figures: rate("events/s"),
  needs: ["log"],
  prepare: async ({ append }) => {
    if (append === undefined) return undefined
    let made = 0
    const input = (client: number): Appending => {
      const n = made++
      // Clients and streams both divide by what they share, so that no two clients meet in one stream.
      const stream = `order-${client + clients * (n % Math.ceil(streams / clients))}`
      return { stream, orders: Array.from({ length: size }, (_, i) => orderOf(n + i)) }
    }
    return { repeat: (count) => append(clients, count, input), each: clients * size }
  }
})

/** Writers that all append to one stream, each event once it has seen the one before. */
const contending = (writers: number): Workload => ({
  name: `contend-${writers}`,
  title: `${writers} writers contending on one stream, with retry`,
  figures: rate("wins/s"),
  needs: ["log"],
  prepare: async ({ contend }) => {
    if (contend === undefined) return undefined
    return { repeat: (count) => contend(writers, count, () => "contended"), each: writers }
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
