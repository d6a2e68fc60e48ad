/** Opens a store and says what that took, the side having opened another one before. */
import { mkdtempSync } from "node:fs"
import { join } from "node:path"
import type { Opened } from "../side.ts"
import { open, place } from "./entry.ts"

// What opening loads is there, and what it compiles. A server has no empty place at hand: there the same again.
const before = await open({ ...place, directory: mkdtempSync(join(place.directory, "empty-")) })
await before.head?.()
await before.close()
globalThis.gc?.()
const [resident, from] = [process.memoryUsage.rss(), performance.now()]
const side = await open(place)
const head = await side.head?.()
const opened: Opened = {
  time: performance.now() - from,
  memory: (process.memoryUsage.rss() - resident) / 2 ** 20
}
if (head === undefined || head === 0) throw new Error("the store is empty")
process.send?.(opened)
await side.close()
process.disconnect()
