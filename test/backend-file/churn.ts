/** Commits of which little is needed in the end, what a store must hold after them, and stores not yet compacted. */
import { settle } from "@persist/backend-file/config"
import { openStore } from "@persist/backend-file/open-store"
import { Writer } from "@persist/backend-file/writer"
import { make as makeMemory } from "@persist/backend-memory"
import { append, clear, commit, del, put } from "@persist/conformance/given"
import { Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { type Batch, contents, ids } from "./history.ts"
import { unsynced } from "./power.ts"

const long = (n: number): string => JSON.stringify(`${n} `.repeat(40))

/** A batch of its number: appends to one of five streams, writes keys again and again, removes, and shortens. */
export const churn = (n: number): Batch => {
  const id = ids[n / 10]
  // A key that is put early, soon removed, and never written again.
  const once = n === 4 ? [put("gone", long(n))] : n === 7 ? [del("gone")] : []
  const stream = `s${n % 5}`
  return [
    commit({
      append: [append(stream, long(n), long(n + 1))],
      write: [
        ...once,
        put(`k${n % 7}`, long(n)),
        n % 11 === 0 ? clear("m") : put(`${n % 3}`, long(n), { namespace: "m" })
      ],
      ...id === undefined ? {} : { identity: { id, digest: `d ${id}` } }
    }),
    n % 4 === 3
      ? commit({ write: [del(`k${(n + 3) % 7}`), del("never there")] })
      : n % 6 === 5
      ? commit({ truncate: [{ stream, before: Seq(Math.max(1, Math.floor(n / 5) * 2 - 3)) }] })
      : commit({ append: [append("kept", long(n))] })
  ]
}

/** The first so many of them. */
export const churned = (count: number): ReadonlyArray<Batch> => Array.from({ length: count }, (_, n) => churn(n))

/** What a store must hold after so many. */
export const expectedAfter = Effect.fnUntraced(function*(count: number) {
  const memory = yield* makeMemory()
  for (const batch of churned(count)) yield* memory.commit(batch)
  return yield* contents(memory)
})

/** Writes so many to a store in which nothing is compacted meanwhile. */
export const writeChurn = (path: string, count: number, segmentBytes: number) =>
  Effect.scoped(Effect.gen(function*() {
    const opened = yield* openStore(unsynced, settle({ path, segmentBytes }))
    const quiet = () => undefined
    const writer = new Writer({ ...opened, directory: path, notify: quiet, onSealed: quiet, onRemoved: quiet })
    for (const batch of churned(count)) yield* writer.commit(batch)
    yield* writer.close
  }))

/** Names of the segments of a store. */
export const segmentsOf = (path: string): ReadonlyArray<string> => readdirSync(join(path, "log")).sort()

/** How many bytes they have. */
export const logBytes = (path: string): number =>
  segmentsOf(path).reduce((sum, name) => sum + statSync(join(path, "log", name)).size, 0)
