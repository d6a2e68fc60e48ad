/** Imports a file into a store by the command line, and says how many milliseconds that took. */
import { timed } from "../../workloads/workload.ts"
import { importInto } from "../persist-import.ts"

const [url = "", path = ""] = process.argv.slice(2)
process.send?.(await timed(() => importInto(url, path)))
