/** Follows a store from its end and tells of each order how many milliseconds it took here. */
import { anyEvents, open } from "persist"
import { microseconds } from "../../payload.ts"
import { orderIn } from "../persist-log.ts"

process.on("disconnect", () => process.exit())
await using store = await open(process.argv[2])
const following = store.subscribe({ events: anyEvents, from: "end" })
process.send?.("follows")
for await (const event of following) {
  const { sent } = orderIn(event)
  if (sent > 0) process.send?.((microseconds() - sent) / 1000)
}
