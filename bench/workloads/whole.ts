/** A store as a whole: what it takes on the disk, to open, and to open after its writer was killed. */
import { orderOf } from "../payload.ts"
import type { LogSide } from "../sides/side.ts"
import { fillLog } from "./read.ts"
import type { Workload } from "./workload.ts"

type Append = NonNullable<LogSide["append"]>

/** What it takes once it's closed, when nothing is left of what only an open store needs. */
const disk = (name: string, title: string, part: number, fill: (append: Append, events: number) => Promise<void>) => ({
  name,
  title,
  figures: { bytes: { unit: "bytes per event", better: "less" } },
  needs: ["log"],
  prepare: async ({ append, bytes, close }, { log }) => {
    if (append === undefined || bytes === undefined) return undefined
    const events = log * part
    await fill(append, events)
    await close()
    return { measure: async () => ({ bytes: await bytes() / events }) }
  }
} satisfies Workload)

const fillSingly = (append: Append, events: number): Promise<void> =>
  append(1, events, (_client, n) => ({ stream: `single-${n % 1000}`, orders: [orderOf(n)] }))

/** A hundred events to each of so many streams, by many clients so that they share flushes. */
const fillWide = async (append: Append, events: number): Promise<void> => {
  const clients = 64
  await append(clients, Math.ceil(events / 100 / clients), (client, call) => ({
    stream: `wide-${client + call * clients}`,
    orders: Array.from({ length: 100 }, (_, i) => orderOf(call + i))
  }))
}

const opening: Workload = {
  name: "open",
  title: "open a store of many events in streams of 100, first thing in a new process",
  figures: {
    time: { unit: "ms", better: "less" },
    warm: { unit: "ms, once more", better: "less" },
    memory: { unit: "MiB above an empty process", better: "less" }
  },
  needs: ["log"],
  prepare: async ({ append, reopened }, { open }) => {
    if (append === undefined || reopened === undefined) return undefined
    await fillWide(append, open)
    const measure = await reopened()
    return { measure: async () => ({ ...await measure() }) }
  }
}

const recovering: Workload = {
  name: "recover",
  title: "open, after a writer was killed among 64 appenders, and append",
  figures: { time: { unit: "ms", better: "less" } },
  needs: ["log"],
  prepare: async ({ append, recovered }, { log }) => {
    if (append === undefined || recovered === undefined) return undefined
    await fillLog(append, log)
    return { measure: async () => ({ time: await recovered() }) }
  }
}

/** All that concern a store as a whole. */
export const whole: ReadonlyArray<Workload> = [
  disk("bytes", "space on the disk of a closed store, in commits of 1,000 events", 1, fillLog),
  // The slowest side flushes some hundred times a second.
  disk("bytes-single", "space on the disk of a closed store, each event in a commit of its own", 1 / 20, fillSingly),
  opening,
  recovering
]
