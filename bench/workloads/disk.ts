/** What a store of some size takes on the disk. */
import { fillLog } from "./read.ts"
import type { Workload } from "./workload.ts"

/** Bytes on the disk for each event, of which the payload is about two hundred. */
export const disk: Workload = {
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
