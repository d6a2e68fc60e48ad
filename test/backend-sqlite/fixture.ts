/** SQLite stores for the conformance kit: each place is a file in a directory of its own. */
import { make } from "@persist/backend-sqlite"
import type { Fixture } from "@persist/conformance"
import { fromOpen } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { driver, newPath } from "./place.ts"

// Fails whatever is written next, in the middle of its transaction; what was written until then is left in it.
const arm = `
CREATE TRIGGER fuse_event AFTER INSERT ON event BEGIN SELECT RAISE(FAIL, 'the fuse'); END;
CREATE TRIGGER fuse_entry AFTER INSERT ON entry BEGIN SELECT RAISE(FAIL, 'the fuse'); END;`
const disarm = "DROP TRIGGER fuse_event; DROP TRIGGER fuse_entry;"

/** A store in a file, with the default durability; a commit can be made to break in the middle. */
export const file: Fixture = {
  name: "sqlite",
  place: Effect.map(newPath, (path) => {
    let armed = false
    const set = (to: boolean) =>
      Effect.sync(() => {
        driver(path, (db) => db.exec(to ? arm : disarm))
        armed = to
      })
    return {
      open: Effect.map(make({ path }), (backend) => ({
        ...backend,
        commit: (batch) =>
          Effect.ensuring(backend.commit(batch), Effect.suspend(() => armed ? set(false) : Effect.void))
      })),
      breakNextCommit: set(true)
    }
  })
}

/** A store in memory. */
export const inMemory: Fixture = fromOpen("sqlite :memory:", make({ path: ":memory:" }))
