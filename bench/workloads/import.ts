/** Importing a file of lines of JSON into a new store. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { orderOf, placed } from "../payload.ts"
import { rate, type Workload } from "./workload.ts"

/** The lines as `persist import` takes them. */
const linesOf = (events: number): string =>
  Array.from({ length: events }, (_, n) => {
    const at = new Date(1_700_000_000_000 + n).toISOString()
    return `${JSON.stringify({ stream: `import-${n % 1000}`, type: placed, at, data: orderOf(n) })}\n`
  }).join("")

/** The import. */
export const importing: Workload = {
  name: "import",
  title: "import a file of lines of JSON into a new store",
  figures: rate("events/s"),
  needs: ["log"],
  prepare: async ({ importLines }, { log }) => {
    if (importLines === undefined) return undefined
    const { directory, run } = importLines
    const path = join(directory, "events.ndjson")
    writeFileSync(path, linesOf(log))
    const repeat = async (count: number) => {
      for (let n = 0; n < count; n++) await run(path)
    }
    return { repeat, each: log }
  }
}
