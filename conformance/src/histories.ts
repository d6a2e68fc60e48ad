/** Recorded histories of clients that write and read at once, some of whose replies are lost; and their check. */
import type { BackendShape } from "@persist/core"
import { isStoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Broken, broken, show } from "./assertion.ts"
import type { Fault } from "./faults.ts"
import { faulty } from "./faults.ts"
import type { Fixture } from "./fixture.ts"
import { append, commit, dataOf, expectKey, expectStream, getOne, put } from "./given.ts"
import { type Behaviour, type Call, linearize } from "./linearizable.ts"
import { atOnce, rivals } from "./rivals.ts"

/** What a client does: append to the one stream or write the one key, as it expects, or read both. */
export type Op =
  | { readonly _tag: "Append"; readonly expected: number; readonly value: string }
  | { readonly _tag: "Write"; readonly expected: string | undefined; readonly value: string }
  | { readonly _tag: "ReadStream" }
  | { readonly _tag: "ReadKey" }

/** What it was told: whether a write happened, or what a read gave. */
export type Reply = boolean | ReadonlyArray<string> | { readonly value: string | undefined }

/** What can be known of the store: the events of one stream, and the value of one key. */
export interface State {
  readonly events: ReadonlyArray<string>
  readonly value: string | undefined
}

/** One stream and one key that behave as the protocol says. */
export const register: Behaviour<State, Op, Reply> = {
  initial: { events: [], value: undefined },
  key: JSON.stringify,
  step: (state, op, reply) => {
    switch (op._tag) {
      case "Append": {
        const happens = state.events.length === op.expected
        if (reply !== undefined && reply !== happens) return undefined
        return happens ? { ...state, events: [...state.events, op.value] } : state
      }
      case "Write": {
        const happens = state.value === op.expected
        if (reply !== undefined && reply !== happens) return undefined
        return happens ? { ...state, value: op.value } : state
      }
      case "ReadStream":
        return reply === undefined || show(reply) === show(state.events) ? state : undefined
      case "ReadKey":
        return reply === undefined || show(reply) === show({ value: state.value }) ? state : undefined
    }
  }
}

/** How many clients, and how often each goes round: it reads, then writes by what it read. */
export interface HistoryLoad {
  readonly clients: number
  readonly rounds: number
  /** What befalls each verb, asked in the order in which they begin; nothing where it is left out. */
  readonly fault?: () => Fault
}

/** Lets clients at a new store and records every call, but for those that told nothing and did nothing. */
export const record = Effect.fnUntraced(function*(fixture: Fixture, { clients, fault, rounds }: HistoryLoad) {
  const place = yield* fixture.place
  const handles = yield* rivals(yield* place.open, place, clients)
  const calls: Array<Call<Op, Reply>> = []
  let now = 0
  const call = Effect.fnUntraced(function*(op: Op, reply: Effect.Effect<Reply, unknown>) {
    const began = ++now
    const told = yield* Effect.result(reply)
    if (Result.isFailure(told)) {
      const error = told.failure
      if (!isStoreError(error)) return yield* Effect.fail(error)
      // Nothing happened where the store says so; anything else may have, now or later.
      if (error._tag !== "Unavailable") calls.push({ op, result: undefined, began, ended: Infinity })
      return undefined
    }
    calls.push({ op, result: told.success, began, ended: ++now })
    return told.success
  })
  yield* atOnce(
    handles,
    Effect.fnUntraced(function*(handle, client) {
      const backend = yield* faulty(fault ?? (() => "none")).wrap(handle)
      for (let round = 0; round < rounds; round++) {
        const value = `${client}.${round}`
        const events = yield* call({ _tag: "ReadStream" }, readStream(backend))
        yield* Effect.yieldNow
        if (Array.isArray(events)) {
          const expected = events.length
          yield* call({ _tag: "Append", expected, value }, appendAt(backend, expected, value))
        }
        const entry = yield* Effect.result(getOne(backend, "k"))
        if (Result.isFailure(entry)) continue
        const revision = entry.success?.revision
        const held = entry.success === undefined ? undefined : String(entry.success.value)
        yield* Effect.yieldNow
        yield* call({ _tag: "Write", expected: held, value }, writeAt(backend, revision, value))
        yield* call({ _tag: "ReadKey" }, readKey(backend))
      }
    })
  )
  return calls
})

const readStream = (backend: BackendShape) => Effect.map(dataOf(backend, "s"), (data) => data.map(String))

const readKey = (backend: BackendShape) =>
  Effect.map(getOne(backend, "k"), (entry) => ({ value: entry && String(entry.value) }))

const happens = (backend: BackendShape, parts: Parameters<typeof commit>[0]) =>
  Effect.map(backend.commit([commit(parts)]), ([{ _tag }]) => _tag === "Committed")

const appendAt = (backend: BackendShape, expected: number, value: string) =>
  happens(backend, { expect: [expectStream("s", expected)], append: [append("s", value)] })

const writeAt = (backend: BackendShape, revision: number | undefined, value: string) =>
  happens(backend, { expect: [expectKey("k", revision ?? "absent")], write: [put("k", value)] })

/** Records a history; fails with the calls where no store that does one at a time could have answered like that. */
export const isLinearizable = Effect.fnUntraced(
  function*(fixture: Fixture, load: HistoryLoad): Effect.fn.Return<ReadonlyArray<Call<Op, Reply>>, unknown> {
    const calls = yield* Effect.scoped(record(fixture, load))
    const split = [isOfStream, (call: Call<Op, Reply>) => !isOfStream(call)]
    for (const isOf of split) {
      const own = calls.filter(isOf)
      if (linearize(own, register) === undefined) return yield* notLinearizable(own)
    }
    return calls
  }
)

// The stream and the key have nothing to do with each other, so each is checked on its own, which is much less to try.
const isOfStream = ({ op }: Call<Op, Reply>) => op._tag === "Append" || op._tag === "ReadStream"

const notLinearizable = (calls: ReadonlyArray<Call<Op, Reply>>): Effect.Effect<never, Broken> =>
  broken(
    ["no order of these calls explains what they gave:", ...calls.map((call) => JSON.stringify(call))].join("\n  ")
  )
