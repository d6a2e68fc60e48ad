/**
 * Appends to one stream through a store, by two writers at once that each send a hundred appends at a time, and prints
 * the seqs that each was told: `append-many.ts PATH NAME COUNT`, of which each writer appends COUNT events.
 */
import { make } from "@persist/backend-sqlite"
import { makeStore } from "@persist/core"
import * as Effect from "effect/Effect"
import { letGo } from "./ready.ts"

const [path = "", name = "", count] = process.argv.slice(2)
const burst = 100

await letGo()
const told = await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const log = (yield* makeStore(yield* make({ path }))).log()
  const append = (writer: string, n: number) =>
    Effect.map(log.append("shared", { type: writer, data: n }, { expected: "any" }), ({ first }) => first)
  const write = Effect.fnUntraced(function*(writer: string) {
    const seqs: Array<number> = []
    for (let n = 0; n < Number(count); n += burst) {
      const some = Array.from({ length: burst }, (_, i) => append(writer, n + i + 1))
      seqs.push(...yield* Effect.all(some, { concurrency: "unbounded" }))
    }
    return seqs
  })
  return yield* Effect.all({ a: write(`${name}/a`), b: write(`${name}/b`) }, { concurrency: "unbounded" })
})))
console.log(JSON.stringify(told))
