/** Runners in processes of their own that are killed, stopped and asked to leave: all happens once, and in order. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sharedPostgres } from "../servers/postgres.ts"
import { wreak } from "./havoc.ts"

describe("runners in several processes", () => {
  it.live(
    "that are killed, stopped and leave lose nothing, and do nothing twice or out of turn",
    () =>
      Effect.gen(function*() {
        const directory = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "persist-runners-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true }))
        )
        const havoc = yield* wreak({
          url: `sqlite:${join(directory, "app.db")}`,
          runners: 3,
          partitions: 4,
          streams: 12,
          more: (blow) => blow < 6,
          seed: "7"
        })
        assert.isAbove(havoc.blows.stopped, 0)
        assert.isAbove(havoc.blows.killed, 0)
      }),
    120_000
  )

  it.live(
    "the same on PostgreSQL, where one may be stopped within its transaction, or cut off",
    () =>
      Effect.gen(function*() {
        const { database } = yield* sharedPostgres
        yield* wreak({
          url: yield* database,
          runners: 2,
          partitions: 2,
          streams: 8,
          more: (_blow, { blows }) => blows.killed === 0 || blows.stopped === 0 || blows["cut off"] === 0,
          seed: "5"
        })
      }),
    120_000
  )
})
