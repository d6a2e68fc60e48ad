/** Runs a read model that can't go on, and never looks how it fares: `fail.ts URL`. */
import { open } from "persist"
import { Buyers } from "../shop.ts"

const store = await open(process.argv[2])
await store.log().append("mug", { type: "Sold", data: "nothing" }, { expected: 0 })
store.runReadModel(Buyers)
for await (const _ of store.kv("n").watch()) continue
console.log("went on")
