/** Appends as fast as it can until it's killed, and says when it has been at it for a while. */
import { open } from "persist"
import { orderOf, placed } from "../../payload.ts"

process.on("disconnect", () => process.exit())
const store = await open(process.argv[2])
const log = store.log()
let appended = 0
const client = async (_: unknown, number: number): Promise<never> => {
  for (;;) {
    await log.append(`writer-${number}`, { type: placed, data: orderOf(number) }, { expected: "any" })
    if (++appended === 5000) process.send?.("writes")
  }
}
await Promise.all(Array.from({ length: 64 }, client))
