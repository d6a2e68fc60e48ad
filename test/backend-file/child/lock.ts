/**
 * Takes a store's lock and says "held", or why it can't; then says whether it's still held whenever it's asked by a
 * line: `lock.ts DIRECTORY`. Ends when nobody listens any more.
 */
import { disk } from "@persist/backend-file/disk"
import { acquireLock } from "@persist/backend-file/lock/lock"
import * as Effect from "effect/Effect"
import { createInterface } from "node:readline"

const [directory = ""] = process.argv.slice(2)

console.log("ready")
const questions = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
await questions.next()
const next = Effect.promise(() => questions.next())

await Effect.runPromise(
  Effect.scoped(Effect.gen(function*() {
    const lock = yield* acquireLock(disk, directory)
    console.log("held")
    for (let asked = yield* next; asked.done !== true; asked = yield* next) console.log(String(lock.held()))
  })).pipe(Effect.catch((error) => Effect.sync(() => console.log(error.message))))
)
