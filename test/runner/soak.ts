/**
 * Havoc among runners for as long as it's asked for: `npm run soak:runners -- [--minutes N] [--runners N]
 * [--partitions N] [--streams N] [--seed S] [--store URL]`; `--store postgres` is a server of its own. Ends with 1
 * where an event was lost, came twice or out of turn.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { startPostgres } from "../servers/postgres.ts"
import { type Havoc, wreak } from "./havoc.ts"

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    runners: { type: "string", default: "4" },
    partitions: { type: "string", default: "16" },
    streams: { type: "string", default: "64" },
    seed: { type: "string", default: String(Date.now()) },
    store: { type: "string" }
  }
})

const began = Date.now()
const directory = mkdtempSync(join(tmpdir(), "persist-soak-"))
const seconds = () => String(Math.round((Date.now() - began) / 1000)).padStart(5)

const say = (so: Havoc): void => {
  const { blows: { "cut off": cut, killed, left, stopped }, events } = so
  const numb = `${stopped} stopped and ${cut} cut off for a while`
  console.log(`${seconds()} s  ${events} events; ${killed} killed, ${numb}, ${left} left and came back`)
}

const url = values.store === "postgres"
  ? Effect.flatMap(startPostgres(), ({ database }) => database)
  : Effect.succeed(values.store ?? `sqlite:${join(directory, "app.db")}`)

const soak = Effect.flatMap(url, (place) =>
  wreak({
    url: place,
    runners: Number(values.runners),
    partitions: Number(values.partitions),
    streams: Number(values.streams),
    seed: values.seed,
    more: (blow, so) => {
      if (blow % 20 === 0) say(so)
      return Date.now() - began < Number(values.minutes) * 60_000
    }
  }))

try {
  const havoc = await Effect.runPromise(Effect.scoped(soak))
  say(havoc)
  console.log(`nothing lost, nothing twice, nothing out of turn; told of again without a transaction: ${havoc.again}`)
} catch (error) {
  console.error(error)
  console.error(`again by: npm run soak:runners -- --seed ${values.seed} --runners ${values.runners}`)
  process.exitCode = 1
} finally {
  rmSync(directory, { recursive: true })
}
