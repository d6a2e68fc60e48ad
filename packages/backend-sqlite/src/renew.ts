/** A new incarnation for a file that was restored or copied: the step by which an operator says that it was. */
import { Invalid, type StoreError } from "@persist/core"
import type Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { type Config, settled } from "./config.ts"
import { attempt } from "./error.ts"
import { demandStore } from "./file.ts"
import { openDatabase, opening } from "./open.ts"
import { incarnationOf } from "./schema.ts"

/**
 * Gives the store in a file another incarnation, which it answers; everything else stays as it is. From then on every
 * checkpoint saved before is told to be of another history, so that no reader goes on in one that it never read. For a
 * store whose backup was restored, and for a copy that goes its own way.
 *
 * Whoever has the store open may go on reading, and is refused its next commit (`Unavailable`: open it again). Fails
 * with `Invalid` for `readonly`, for a store in memory, and where there is no store: none is made; otherwise as opening
 * does. It's one transaction; where that fails it may be called again.
 */
export const renewIncarnation = (config: Config): Effect.Effect<string, StoreError> =>
  Effect.gen(function*() {
    const settings = yield* settled(config)
    if (settings.readonly) return yield* Effect.fail(onlyRead)
    if (settings.memory) return yield* Effect.fail(inMemory)
    yield* opening(settings.path, () => demandStore(settings.path))
    const db = yield* Effect.acquireRelease(openDatabase(settings), (opened) => Effect.sync(() => opened.close()))
    return yield* attempt(db, "renew", () => db.transaction(() => renew(db)).immediate())
  }).pipe(Effect.scoped)

const renew = (db: Database.Database): string => {
  // A store that has lost its identity is damaged, and says so here.
  incarnationOf(db)
  const incarnation = randomUUID()
  db.prepare<[string]>("UPDATE store SET incarnation = ?").run(incarnation)
  return incarnation
}

const onlyRead = new Invalid({ field: "readonly", reason: "a new incarnation is written", remedy: "leave it out" })

const inMemory = new Invalid({
  field: "path",
  reason: "a store in memory has an incarnation of its own each time",
  remedy: "name a file"
})
