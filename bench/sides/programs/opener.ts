/** Opens a store and says what that took, the library having been loaded before. */
import { open } from "persist"
import type { Opened } from "../side.ts"

// What opening loads is there, and what it compiles.
await (await open("memory:")).close()
const [resident, from] = [process.memoryUsage.rss(), performance.now()]
await using store = await open(process.argv[2])
const head = await store.head()
const opened: Opened = {
  time: performance.now() - from,
  memory: (process.memoryUsage.rss() - resident) / 2 ** 20
}
if (head === 0) throw new Error("the store is empty")
process.send?.(opened)
process.disconnect()
