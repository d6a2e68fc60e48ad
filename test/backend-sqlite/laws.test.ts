/** The laws of the protocol, in a file and in memory. */
import { make } from "@persist/backend-sqlite"
import { type Fixture, fromOpen, protocolLaws, suite } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { describe, it } from "vitest"
import { driver, newPath } from "./place.ts"

const tables = ["INSERT ON event", "INSERT ON entry", "UPDATE ON entry", "UPDATE ON store"]

/** Lets SQLite itself refuse whatever a commit writes, after it was judged. */
const forbid = (path: string) =>
  driver(
    path,
    (db) =>
      tables.forEach((change, i) =>
        db.exec(`CREATE TRIGGER forbidden_${i} BEFORE ${change} BEGIN SELECT RAISE(ABORT, 'forbidden'); END`)
      )
  )

const allow = (path: string) =>
  driver(path, (db) => tables.forEach((_, i) => db.exec(`DROP TRIGGER IF EXISTS forbidden_${i}`)))

const file: Fixture = {
  name: "sqlite file",
  place: Effect.map(newPath, (path) => {
    let broken = false
    return {
      open: Effect.map(make({ path }), (backend) => ({
        ...backend,
        commit: (batch: Parameters<typeof backend.commit>[0]) =>
          Effect.tapError(backend.commit(batch), () =>
            Effect.sync(() => {
              if (broken) allow(path)
              broken = false
            }))
      })),
      breakNextCommit: Effect.sync(() => {
        broken = true
        forbid(path)
      })
    }
  })
}

suite({ describe, it }, file, protocolLaws)
suite({ describe, it }, fromOpen("sqlite memory", make({ path: ":memory:" })), protocolLaws)
