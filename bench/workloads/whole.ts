/** A store as a whole: what it takes on the disk, to open, and to open after its writer was killed. */
import { orderOf } from "../payload.ts"
import type { LogSide } from "../sides/side.ts"
import { fillLog } from "./read.ts"
import type { Workload } from "./workload.ts"

const disk: Workload = {
  name: "bytes",
  title: "space on the disk",
  figures: { bytes: { unit: "bytes per event", better: "less" } },
  needs: ["log"],
  prepare: async ({ append, bytes }, { log }) => {
    if (append === undefined || bytes === undefined) return undefined
    await fillLog(append, log)
    return { measure: async () => ({ bytes: await bytes() / log }) }
  }
}

/** A hundred events to each of so many streams, by many clients so that they share flushes. */
const fillWide = async (append: NonNullable<LogSide["append"]>, events: number): Promise<void> => {
  const clients = 64
  await append(clients, Math.ceil(events / 100 / clients), (client, call) => ({
    stream: `wide-${client + call * clients}`,
    orders: Array.from({ length: 100 }, (_, i) => orderOf(call + i))
  }))
}

const opening: Workload = {
  name: "open",
  title: "open a store of many events in streams of 100, in a new process",
  figures: { time: { unit: "ms", better: "less" }, memory: { unit: "MiB", better: "less" } },
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
export const whole: ReadonlyArray<Workload> = [disk, opening, recovering]
