/**
 * Writes a file of the current format, to be kept beside the older ones, by
 * `node --conditions=source test/backend-sqlite/format/make.ts`: once for each format, before its release.
 */
import { make } from "@persist/backend-sqlite"
import { currentFormat } from "@persist/backend-sqlite/schema"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { sampleBatches, sampleIdentified } from "../sample.ts"

const path = fileURLToPath(new URL(`v${currentFormat}.db`, import.meta.url))
if (existsSync(path)) throw new Error(`${path} is kept already`)
const program = Effect.gen(function*() {
  const backend = yield* make({ path })
  for (const batch of sampleBatches) yield* backend.commit(batch)
  yield* backend.commit([sampleIdentified])
})
await Effect.runPromise(Effect.scoped(program))
console.log(path)
