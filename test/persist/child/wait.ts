/** Waits for what nobody can write: a loop over a store that belongs to this process alone, `wait.ts URL`. */
import { open } from "persist"

const store = await open(process.argv[2])
const watch = async () => {
  for await (const _ of store.kv("n").watch()) console.log("nobody wrote this")
}
void watch()
