/** Servers lost under load, that come back or are replaced: clients go on by themselves, and nothing is lost. */
import { assert, describe, it } from "@effect/vitest"
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { startPostgres } from "../servers/postgres.ts"
import { startReplicated } from "../servers/replication.ts"
import { holdRace, reach } from "./race.ts"

const patience = 300_000

// What befell the server befell it under load.
const reachFurther = (backend: BackendShape) => Effect.flatMap(backend.head, (head) => reach(backend, head + 1))

describe("a server under load", () => {
  it.live("that is killed and restarted loses nothing, and nothing happens twice", () =>
    Effect.gen(function*() {
      const server = yield* startPostgres()
      yield* holdRace({
        url: server.url,
        processes: 2,
        rounds: 300,
        meanwhile: Effect.fnUntraced(function*(backend) {
          for (const head of [20, 60]) {
            yield* reach(backend, head)
            yield* server.kill
            yield* server.start
          }
          yield* reachFurther(backend)
        })
      })
    }), patience)

  it.live(
    "whose synchronous standby takes its place has lost nothing that was acknowledged",
    () =>
      Effect.gen(function*() {
        const { primary, promote, standby } = yield* startReplicated
        const url = primary.url.replace(/@(.*)\//, `@$1,127.0.0.1:${standby.port}/`)
        yield* holdRace({
          url,
          processes: 2,
          rounds: 300,
          meanwhile: Effect.fnUntraced(function*(backend) {
            assert.strictEqual(backend.about.durability, "replicated")
            yield* reach(backend, 40)
            yield* primary.kill
            yield* promote
            yield* reachFurther(backend)
          })
        })
      }),
    patience
  )
})
