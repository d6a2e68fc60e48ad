/** Follows a store and prints what comes: `tail.ts URL`. Ends when it is told to, by a line of input. */
import { open } from "persist"

const store = await open(process.argv[2])
process.stdin.once("data", () => {
  process.stdin.unref()
  void store.close()
})
console.log("ready")
// Nothing but this loop keeps the process alive.
process.stdin.unref()
for await (const { data } of store.log().readAll()) console.log(JSON.stringify(data))
for await (const { key } of store.kv("n").watch({ after: 0 })) console.log(key)
console.log("closed")
