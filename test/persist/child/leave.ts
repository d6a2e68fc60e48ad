/** Uses everything that could keep a process alive, closes the store, and should then end by itself: `leave.ts URL`. */
import { open } from "persist"
import { Buyers, Item, sold, stocked } from "../shop.ts"

const store = await open(process.argv[2])
const run = store.runReadModel(Buyers)
const subscription = store.runSubscription({ name: "leave", events: Item, handle: () => undefined })
const watching = (async () => {
  for await (const _ of store.kv("n").watch()) continue
})()
const left = store.subscribe({ events: Item, from: "start" })[Symbol.asyncIterator]()
const { position } = await store.log(Item).append("tea", [stocked(1), sold(1, "ada")], { expected: "any" })
await store.waitFor(Buyers, position)
await left.next()
await store.close()
console.log(await run.ended, await subscription.ended, await watching)
