/** Appends as fast as it can until it's killed, and says when it has been at it for a while. */
import { orderOf } from "../../payload.ts"
import { open, place } from "./entry.ts"

process.on("disconnect", () => process.exit())
const { append } = await open(place)
let appended = 0
await append?.(64, Infinity, (client) => {
  if (++appended === 5000) process.send?.("writes")
  return { stream: `writer-${client}`, orders: [orderOf(client)] }
})
