/** A look at a store that lies in some directory, and at whether it can be gone on with. */
import type { StoreError } from "@persist/core"
import { makeStore } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { openUrl } from "persist/effect"
import type { Breach } from "./breach.ts"
import { Journal } from "./journal.ts"
import type { Message } from "./message.ts"
import { recorded } from "./recording.ts"
import { Verifier } from "./verify.ts"

/**
 * Opens a store that its processes left behind after they had said so much, compares it with that, commits something
 * more, and compares it again after it was closed. Gives what is wrong.
 */
export const survey = (url: string, messages: ReadonlyArray<Message>): Effect.Effect<ReadonlyArray<Breach>> =>
  Effect.gen(function*() {
    const journal = new Journal()
    for (const message of messages) journal.hear("before", message)
    journal.gone("before")
    const verifier = new Verifier(journal)
    const use = Effect.scoped(Effect.gen(function*() {
      const backend = yield* openUrl(url)
      const { about: { durability, incarnation }, head } = backend
      journal.hear("after", { _tag: "Opened", incarnation, durability, head: yield* head })
      yield* verifier.look(backend)
      const store = yield* makeStore(recorded(backend, (message) => journal.hear("after", message)))
      yield* store.commit([
        store.log().ops.append("t/0", { type: "Surveyed", data: 1 }, { expected: "any" }),
        store.kv("scratch").ops.put("surveyed", 1)
      ])
    }))
    const again = Effect.scoped(Effect.flatMap(openUrl(url), (backend) => verifier.look(backend)))
    yield* Effect.catch(
      Effect.andThen(use, again),
      ({ _tag, message }: StoreError) => Effect.sync(() => journal.report("fault", `${_tag}: ${message}`))
    )
    return journal.breaches
  }).pipe(Effect.provide(Logger.layer([])))
