/**
 * The shop of the examples for as long as it's asked for, with a kill, a stop or a restart every few seconds: `npm run
 * soak:shop -- [--minutes N] [--processes N] [--seed S] [--store URL]`. Ends with 1 where the books aren't right.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { type Blows, wreakInShop } from "./shop-havoc.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    processes: { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now()) },
    store: { type: "string" }
  }
})

const began = Date.now()
const minutes = Number(values.minutes)
const directory = mkdtempSync(join(tmpdir(), "persist-shop-soak-"))
const seconds = () => String(Math.round((Date.now() - began) / 1000)).padStart(5)

const say = ({ cutOff, killed, left, stopped }: Blows): void => {
  console.log(
    `${seconds()} s  ${killed} killed, ${stopped} stopped for a while, ${left} left, customers cut off ${cutOff} times`
  )
}

const soak = wreakInShop({
  directory,
  url: values.store,
  // More than will come.
  orders: Math.ceil(minutes * 30_000),
  processes: Number(values.processes),
  payWithin: 5000,
  seed: values.seed,
  stretch: 1500,
  more: (blow, so) => {
    if (blow % 10 === 0) say(so)
    return Date.now() - began < minutes * 60_000
  }
})

try {
  const { checked, said, ...blows } = await Effect.runPromise(Effect.scoped(soak))
  say(blows)
  for (const line of said) console.log(line)
  const { compared, differences, events, invoices, mailedAgain, orders, paidTooLate } = checked
  console.log(`${orders} orders, ${events} events, ${invoices} invoices`)
  console.log(`${paidTooLate} paid just too late; ${mailedAgain} mailed again under their key`)
  console.log(`${compared} values compared; differences: ${differences}`)
  if (differences > 0) process.exitCode = 1
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  rmSync(directory, { recursive: true })
}
if (process.exitCode === 1) console.error(`again by: npm run soak:shop -- --minutes ${minutes} --seed ${values.seed}`)
