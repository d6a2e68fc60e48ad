/** Importing files of lines of JSON into a new store, and the projections of a real history. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { checkCount, orderOf, placed } from "../payload.ts"
import { history } from "../sides/history.ts"
import type { Importing } from "../sides/side.ts"
import { rate, type Ready, type Sizes, timed, type Workload } from "./workload.ts"

/** So many lines as `persist import` takes them, others for each number to begin with. */
export const linesOf = (events: number, from: number = 0): string =>
  Array.from({ length: events }, (_, i) => {
    const n = from + i
    const at = new Date(1_700_000_000_000 + n).toISOString()
    return `${JSON.stringify({ stream: `import-${n % 1000}`, type: placed, at, data: orderOf(n) })}\n`
  }).join("")

/** Warms up what is measured, as long as four rounds take; at least once. */
const warmed = async (measure: () => Promise<unknown>, round: number): Promise<void> => {
  const until = performance.now() + 4 * round
  do await measure()
  while (performance.now() < until)
}

/** A round is one import; whether all has arrived is looked at behind it. */
const importing = async ({ run }: Importing, path: string, events: number, { round }: Sizes): Promise<Ready> => {
  const measure = async () => {
    const [before, from] = [process.cpuUsage(), performance.now()]
    const count = await run(path)
    const millis = performance.now() - from
    const { system, user } = process.cpuUsage(before)
    checkCount(await count(), events)
    return { rate: events * 1000 / millis, cpu: (system + user) / events }
  }
  await warmed(measure, round)
  return { measure }
}

const lines: Workload = {
  name: "import",
  title: "import a file of lines of JSON into a new store",
  figures: rate("events/s"),
  needs: ["log"],
  prepare: async ({ importLines }, sizes) => {
    if (importLines === undefined) return undefined
    const { log } = sizes
    const path = join(importLines.directory, "events.ndjson")
    writeFileSync(path, linesOf(log))
    return await importing(importLines, path, log, sizes)
  }
}

const real: Workload = {
  name: "import-history",
  title: "import a real history, gzipped, into a new store",
  figures: rate("events/s"),
  needs: ["log"],
  prepare: async ({ importLines }, sizes) =>
    importLines && await importing(importLines, history.path, history.events, sizes)
}

const projecting: Workload = {
  name: "project-history",
  title: "three projections of a real history, from zero",
  figures: {
    rate: { unit: "events/s", better: "more" },
    "from their snapshots": { unit: "ms", better: "less" }
  },
  needs: ["log"],
  prepare: async ({ openHistory }, { round }) => {
    const opened = await openHistory?.(history.path)
    if (opened === undefined) return undefined
    const measure = async () => {
      let read = 0
      const zero = await timed(async () => {
        read = await opened.project()
      })
      const { load } = opened
      const snapshots = load === undefined ? {} : { "from their snapshots": await timed(async () => void await load()) }
      return { rate: read * 1000 / zero, ...snapshots }
    }
    // The first one makes the snapshots.
    await warmed(measure, round)
    return { measure, close: opened.close }
  }
}

/** All that import. */
export const imports: ReadonlyArray<Workload> = [lines, real, projecting]
