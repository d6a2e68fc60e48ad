/**
 * Writes a store of the current format, to be kept beside the older ones, by
 * `node --conditions=source test/backend-file/format/make.ts`: once for each format, before its release.
 */
import { settle } from "@persist/backend-file/config"
import { disk } from "@persist/backend-file/disk"
import { currentFormat } from "@persist/backend-file/log/segment"
import { openForWriting } from "@persist/backend-file/write-handle"
import * as Effect from "effect/Effect"
import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { sampleSessions } from "./sample.ts"

const path = fileURLToPath(new URL(`v${currentFormat}`, import.meta.url))
if (existsSync(path)) throw new Error(`${path} is kept already`)
for (const batches of sampleSessions) {
  await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const { backend, compaction } = yield* openForWriting(disk, settle({ path, segmentBytes: 1024 }))
    for (const batch of batches) yield* backend.commit(batch)
    yield* compaction.round
  })))
}
// Who holds it isn't part of what is kept.
rmSync(join(path, "lock"), { recursive: true })
console.log(path)
