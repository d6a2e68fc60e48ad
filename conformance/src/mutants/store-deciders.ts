/** Mutants that decide on another state than they change, or too often. */
import type {
  Catalogue,
  Conflict,
  Decided,
  DecideOptions,
  Decider,
  InputOf,
  StoreError,
  StoreShape
} from "@persist/core"
import { Invalid, isStoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Core, core } from "../core.ts"
import { coreMutant } from "../store-mutant.ts"

// Appends what was decided, whatever has come between.
const blind: Core["decide"] = <S, C extends Catalogue, Command, E>(
  store: StoreShape,
  decider: Decider<S, C, Command, E>,
  stream: string,
  command: Command,
  options?: DecideOptions
) =>
  Effect.gen(function*(): Effect.fn.Return<Decided | Conflict, StoreError | E> {
    const idle: Decider<S, C, Command, E> = { ...decider, decide: () => [] }
    const outcome = yield* core.decide(store, idle, stream, command, options)
    const { allowTruncated, at, id, snapshots } = options ?? {}
    const { state } = yield* core.load(store, decider.projection, { stream, allowTruncated, snapshots })
    const decision = decider.decide(state, command)
    const given: Result.Result<ReadonlyArray<InputOf<C>>, E> = Result.isResult(decision)
      ? decision
      : Result.succeed(decision)
    const events = yield* Effect.fromResult(given)
    if (events.length === 0 || outcome._tag === "Conflict") return outcome
    const log = store.log(decider.projection.events)
    const appended = yield* log.append(stream, events, { expected: "any", id, at })
    return { ...outcome, appended, seq: appended.last, position: appended.position, repeated: appended.repeated }
  })

/** Broken in deciding. */
export const storeDeciders = [
  coreMutant("blind", "appends what was decided whatever has come between", { decide: blind }, [
    "what is decided on a stream's state is appended to it",
    "what is refused fails with the decider's own error, and nothing happens",
    "whoever was slower decides again on what was appended meanwhile",
    "a command gives up after so many lost races, tells the last of them, and leaves nothing",
    "commands at once on one stream are each decided on the state that they change",
    "a command under an id is carried out once, and told its first result again",
    "every option of a decision makes a difference"
  ]),

  coreMutant("bare events", "leaves out what should go with the events of a command", {
    decide: (store, decider, stream, command, options) =>
      core.decide(store, decider, stream, command, { ...options, meta: undefined })
  }, [
    "what is decided on a stream's state is appended to it",
    "every option of a decision makes a difference"
  ]),

  coreMutant("leaves a trace", "writes down every command that it has carried out", {
    decide: (store, decider, stream, command, options) =>
      Effect.tap(core.decide(store, decider, stream, command, options), () => store.kv("commands").put(stream, 1))
  }, [
    "a command that decides nothing changes nothing"
  ]),

  coreMutant("in other words", "tells of a decider's own failure as if the call had been wrong", {
    decide: (store, decider, stream, command, options) =>
      Effect.catch(core.decide(store, decider, stream, command, options), (error) =>
        Effect.fail(
          isStoreError(error)
            ? error
            : new Invalid({ field: "command", reason: "it was refused", remedy: "give another" })
        ))
  }, [
    "what is refused fails with the decider's own error, and nothing happens",
    "whoever was slower decides again on what was appended meanwhile",
    "commands at once on one stream are each decided on the state that they change"
  ]),

  coreMutant("never gives up", "decides again however often it has lost", {
    decide: (store, decider, stream, command, options) =>
      core.decide(store, decider, stream, command, { ...options, retries: 1000 })
  }, [
    "a command gives up after so many lost races, tells the last of them, and leaves nothing",
    "every option of a decision makes a difference"
  ]),

  coreMutant("one try", "doesn't decide again when it has lost", {
    decide: (store, decider, stream, command, options) =>
      core.decide(store, decider, stream, command, { ...options, retries: 0 })
  }, [
    "whoever was slower decides again on what was appended meanwhile",
    "a command gives up after so many lost races, tells the last of them, and leaves nothing",
    "commands at once on one stream are each decided on the state that they change",
    "every option of a decision makes a difference"
  ]),

  coreMutant("again and again", "carries out a command once more under its id", {
    decide: (store, decider, stream, command, options) =>
      core.decide(store, decider, stream, command, { ...options, id: undefined })
  }, [
    "a command under an id is carried out once, and told its first result again",
    "every option of a decision makes a difference"
  ]),

  coreMutant("always from the start", "saves no snapshot of the state that it decides on", {
    decide: (store, decider, stream, command, options) =>
      core.decide(store, decider, stream, command, { ...options, snapshots: undefined })
  }, [
    "a decider goes on from a snapshot of its state, and saves one when that is due",
    "every option of a decision makes a difference"
  ])
]
