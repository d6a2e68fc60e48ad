/** A directory that two make at once: each finds it made. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { Worker } from "node:worker_threads"
import type { Meeting } from "./child/meet.ts"
import { directory } from "./place.ts"

it.live("a directory that others make at the same moment is there, and no fault", () =>
  Effect.gen(function*() {
    const rounds = 100
    const arrived = new Int32Array(new SharedArrayBuffer(4 * rounds))
    const failed = new Int32Array(new SharedArrayBuffer(4))
    const workerData: Meeting = { path: yield* directory, arrived, failed }
    const meet = async () => {
      const worker = new Worker(new URL("child/meet.ts", import.meta.url), {
        workerData,
        execArgv: ["--conditions=source"]
      })
      await once(worker, "exit")
    }
    yield* Effect.promise(() => Promise.all([meet(), meet()]))
    assert.deepStrictEqual([...arrived], Array.from(arrived, () => 2))
    assert.strictEqual(failed[0], 0)
  }))
