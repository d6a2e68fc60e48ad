/**
 * Imports files into a store by the command line, and says how many milliseconds the last of them took. Those before it
 * have it load what it needs.
 */
import { timed } from "../../workloads/workload.ts"
import { importInto } from "../persist-import.ts"

process.on("disconnect", () => process.exit())
const [url = "", ...paths] = process.argv.slice(2)
let millis = NaN
for (const path of paths) millis = await timed(() => importInto(url, path))
process.send?.(millis, () => process.exit())
