/** PostgreSQL answers random commands as the model does, as SQLite does, and whichever of several handles is asked. */
import { agreesWithModel, differential, type Fixture } from "@persist/conformance"
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { expect, it } from "vitest"
import { file } from "../backend-sqlite/fixture.ts"
import { postgres } from "./fixture.ts"

/** Two handles on each place that take turns, so that neither has ever seen the store as it is. */
const byTurns: Fixture = {
  name: "postgres by turns",
  place: Effect.map(postgres.place, (place) => ({
    open: Effect.gen(function*() {
      const handles = [yield* place.open, yield* place.open] as const
      let turn = 0
      const next = (): BackendShape => handles[++turn % 2 === 0 ? 0 : 1]
      return {
        ...handles[0],
        commit: (batch) => next().commit(batch),
        resolve: (id) => next().resolve(id),
        readStream: (range) => next().readStream(range),
        readAll: (range) => next().readAll(range),
        streams: (range) => next().streams(range),
        get: (keys) => next().get(keys),
        scan: (range) => next().scan(range),
        changed: (range) => next().changed(range),
        namespaces: (range) => next().namespaces(range),
        head: Effect.suspend(() => next().head)
      } satisfies BackendShape
    })
  }))
}

it("as the model does", async () => {
  expect(await Effect.runPromise(agreesWithModel(postgres, { runs: 15 }))).toBeUndefined()
}, 120_000)

it("as the model does, by turns", async () => {
  expect(await Effect.runPromise(agreesWithModel(byTurns, { runs: 15 }))).toBeUndefined()
}, 120_000)

it("as SQLite does", async () => {
  expect(await Effect.runPromise(differential(file, postgres, { runs: 10 }))).toBeUndefined()
}, 120_000)
