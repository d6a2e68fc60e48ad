/**
 * Follows a store that others write to, and tells of every page: `reader.ts JSON`. Now and then it begins anew. Ends
 * when it is nudged again, or killed.
 */
import { origin, Position, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { once } from "node:events"
import { openUrl } from "persist/effect"
import { makeDice } from "../dice.ts"
import { tell } from "../message.ts"
import { failureOf, recorded } from "../recording.ts"
import { commandOf } from "./command.ts"

/** What a reader is told to do. */
export interface ReaderCommand {
  readonly url: string
  readonly seed: string
}

const { seed, url } = await commandOf<ReaderCommand>()
const dice = makeDice(seed)
const stopped = once(process.stdin, "data")

const follow = Effect.gen(function*() {
  const opened = yield* openUrl(url)
  tell({ _tag: "Opened", incarnation: opened.about.incarnation, durability: opened.about.durability, head: 0 })
  const backend = recorded(opened)
  let after = origin
  const readOn = Effect.gen(function*() {
    if (dice.percent(2)) after = origin
    const head = yield* backend.head
    while (after < head) {
      const limit = 1 + dice.below(200)
      const { through } = yield* backend.readAll({
        after,
        to: Position(unbounded),
        prefix: "",
        types: undefined,
        limit,
        reverse: false
      })
      after = through
    }
  })
  yield* Stream.runForEach(backend.changes, () => readOn)
})

// While a writer dies or comes back its store may be away for a moment: then it is opened again.
const persevere = Effect.forever(Effect.gen(function*() {
  const exit = yield* Effect.exit(Effect.scoped(follow))
  if (Exit.isFailure(exit)) tell({ _tag: "Shut", ...failureOf(exit.cause) })
  yield* Effect.yieldNow
}))

await Effect.runPromise(Effect.raceFirst(persevere, Effect.promise(() => stopped)))
tell({ _tag: "Mark", name: "finished" })
process.stdin.destroy()
