/**
 * Opens a store, looks into it, asks what became of a commit if it's told to, says so, and then holds the store open
 * until it is killed: `witness.ts JSON`.
 */
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { openUrl } from "persist/effect"
import { tell } from "../message.ts"
import { recorded } from "../recording.ts"
import { commandOf } from "./command.ts"

/** What it is told to do. */
export interface WitnessCommand {
  readonly url: string
  /** The commit that it asks after. */
  readonly id?: string
}

const { id, url } = await commandOf<WitnessCommand>()
await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const backend = recorded(yield* openUrl(url))
  yield* backend.head
  // That it can't be told is told as well.
  if (id !== undefined) yield* Effect.exit(backend.resolve(id))
  tell({ _tag: "Mark", name: "seen" })
  yield* Effect.promise(() => once(process.stdin, "data"))
})))
