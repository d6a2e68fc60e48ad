/**
 * Races others for the same streams and the same key, certifying each commit, and recovers from whatever fails:
 * `race.ts URL NAME ROUNDS`. Prints how many of its commits happened and what it met, as JSON.
 */
import { make } from "@persist/backend-postgres"
import { fromOpen, race, wrapped } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { letGo } from "../../backend-sqlite/child/ready.ts"
import { nothingMet, recovering } from "../recovering.ts"

const [url = "", name = "", rounds] = process.argv.slice(2)

await letGo()
const met = nothingMet()
const raced = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const place = yield* wrapped(fromOpen(name, make({ url })), recovering(name, met)).place
  return yield* race(place, { writers: 2, rounds: Number(rounds), streams: 3 })
})))
console.log(JSON.stringify({ ...raced, ...met }))
