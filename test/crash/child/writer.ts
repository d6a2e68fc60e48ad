/**
 * Lets several clients at a store, and tells of all that they do: `writer.ts JSON`. Opens the store again where it is
 * no longer any use. Ends once every client has made its moves, when it's told to stop, or when it is killed.
 */
import type { StoreShape } from "@persist/core"
import { makeStore, origin } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { openUrl } from "persist/effect"
import { type Bug, spoilt } from "../bug.ts"
import { makeDice } from "../dice.ts"
import { tell } from "../message.ts"
import { type Client, move } from "../moves.ts"
import { failureOf, recorded } from "../recording.ts"
import { commandOf } from "./command.ts"

/** What a writer is told to do. */
export interface WriterCommand {
  readonly url: string
  /** Unique among all who write to this store: ids of commits begin with it. */
  readonly name: string
  readonly seed: string
  readonly clients: number
  /** How many moves each client makes. */
  readonly moves: number
  /** What is done wrong on purpose, to see that it's found. */
  readonly bug?: Bug | undefined
}

const command = await commandOf<WriterCommand>()
const stop = new AbortController()
process.stdin.once("data", () => stop.abort())

// A fault that lasts is met again and again: then the store is opened anew, and given up if that doesn't help.
const patience = 3

const act = Effect.fnUntraced(function*(client: Client, session: { broken: boolean }) {
  let failures = 0
  for (let n = 0; n < command.moves && !stop.signal.aborted && !session.broken; n++) {
    const exit = yield* Effect.exit(move(client))
    if (Exit.isSuccess(exit)) {
      failures = 0
      continue
    }
    tell({ _tag: "Trouble", ...failureOf(exit.cause) })
    if (++failures === patience) session.broken = true
  }
})

const attend = Effect.fnUntraced(function*(store: StoreShape, name: string) {
  const session = { broken: false }
  const clients = Array.from({ length: command.clients }, (_, n): Client => ({
    name: `${name}.${n}`,
    dice: makeDice(`${command.seed}/${name}.${n}`),
    store,
    count: 0,
    after: origin,
    sent: []
  }))
  yield* Effect.forEach(clients, (client) => act(client, session), { concurrency: "unbounded" })
  return session.broken
})

const open = Effect.gen(function*() {
  const backend = yield* openUrl(command.url)
  const { durability, incarnation } = backend.about
  tell({ _tag: "Opened", incarnation, durability, head: yield* backend.head })
  return yield* makeStore(recorded(command.bug === undefined ? backend : spoilt(backend, command.bug)))
})

const work = Effect.gen(function*() {
  for (let session = 0; session < patience; session++) {
    const exit = yield* Effect.exit(
      Effect.scoped(Effect.flatMap(open, (store) => attend(store, `${command.name}.${session}`)))
    )
    if (Exit.isFailure(exit)) tell({ _tag: "Shut", ...failureOf(exit.cause) })
    else if (!exit.value) return
  }
})

await Effect.runPromise(work)
tell({ _tag: "Mark", name: "finished" })
process.stdin.destroy()
