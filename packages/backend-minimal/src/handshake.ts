/** The handshake: whoever says that something was written must be able to read it back, before anybody relies on it. */
import { Seq, type StoreError } from "@persist/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { ownKey } from "./handle.ts"
import { ask, type SixEvent, type SixFunctions, wrongAnswer } from "./six-functions.ts"
import { readEvents, readState, type State, stateForm } from "./text-form.ts"

/** The name under which the handshake appends and keeps its snapshot. */
const handshake = "$handshake"

/**
 * Writes through all six functions and reads back, and answers the state the store is opened with. Fails with `Corrupt`
 * where what comes back isn't what was given, which a function that does nothing can't hide.
 */
export const shakeHands = Effect.fnUntraced(function*(functions: SixFunctions): Effect.fn.Return<State, StoreError> {
  const before = yield* Effect.fromResult(
    readState(yield* ask("kvGet", () => functions.kvGet(ownKey)))
  )
  const greetings = yield* greetingsOf(functions)
  // Nothing is written yet: a key that can't be read for once must not be taken for a new store's.
  if (before === undefined && greetings.length > 0) {
    return yield* wrongAnswer("kvGet", "it doesn't answer the store's own key, though the store was opened before")
  }
  // A text that was never there before, so that an old one can't be taken for it.
  const state: State = before === undefined
    ? { incarnation: crypto.randomUUID(), reserved: 0, opened: 1 }
    : { ...before, opened: before.opened + 1 }
  const text = stateForm(state)
  yield* ask("kvPut", () => functions.kvPut(ownKey, text))
  if ((yield* ask("kvGet", () => functions.kvGet(ownKey))) !== text) {
    return yield* wrongAnswer("kvGet", "it doesn't answer what kvPut was given")
  }
  yield* ask("snapshotWrite", () => functions.snapshotWrite(handshake, text))
  if ((yield* ask("snapshotRead", () => functions.snapshotRead(handshake))) !== text) {
    return yield* wrongAnswer("snapshotRead", "it doesn't answer what snapshotWrite was given")
  }
  yield* greet(functions, Seq(greetings.length + 1), text)
  return state
})

const greetingsOf = (functions: SixFunctions): Effect.Effect<ReadonlyArray<SixEvent>, StoreError> =>
  Effect.flatMap(
    ask("read", () => functions.read(handshake)),
    (answer) => Effect.fromResult(readEvents(handshake, answer))
  )

const greet = Effect.fnUntraced(function*(
  functions: SixFunctions,
  seq: Seq,
  data: string
): Effect.fn.Return<void, StoreError> {
  const event: SixEvent = { stream: handshake, seq, type: "opened", at: yield* Clock.currentTimeMillis, data }
  yield* ask("append", () => functions.append(handshake, event))
  const found = (yield* greetingsOf(functions))[seq - 1]
  const same = found !== undefined && found.stream === event.stream && found.seq === event.seq &&
    found.type === event.type && found.at === event.at && found.data === event.data
  if (!same) return yield* wrongAnswer("read", "it doesn't answer the event that append was given")
})
