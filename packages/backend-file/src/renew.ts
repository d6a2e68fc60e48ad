/** A new incarnation for a store that was restored or copied: the step by which an operator says that it was. */
import { Invalid, type StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { type Config, settled } from "./config.ts"
import { inspectDirectory } from "./directory.ts"
import { disk } from "./disk.ts"
import { attempt } from "./open-store.ts"
import { openForWriting } from "./write-handle.ts"

/**
 * Gives the store in a directory another incarnation, which it answers; everything else stays as it is. From then on
 * every checkpoint saved before is told to be of another history, so that no reader goes on in one that it never read.
 * For a store whose backup was restored, and for a copy that goes its own way.
 *
 * Nobody may have it open for writing; who reads it is refused from then on (`Unavailable`: open it again). Fails with
 * `Invalid` for `readonly` and where there is no store: none is made; otherwise as opening does. It's one change of the
 * manifest; where that fails it may be called again.
 */
export const renewIncarnation = (config: Config): Effect.Effect<string, StoreError> =>
  Effect.gen(function*() {
    const settings = yield* settled(config)
    if (settings.readonly) return yield* Effect.fail(onlyRead)
    yield* attempt(settings.path, () => inspectDirectory(disk, { path: settings.path, readonly: true }))
    const { journal } = yield* openForWriting(disk, settings)
    const incarnation = randomUUID()
    yield* attempt(settings.path, () => journal.publish({ incarnation }))
    return incarnation
  }).pipe(Effect.scoped)

const onlyRead = new Invalid({ field: "readonly", reason: "a new incarnation is written", remedy: "leave it out" })
