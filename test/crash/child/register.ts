/**
 * Lets clients at one stream and one key, and tells when each call began and how it ended: `register.ts JSON`. Each
 * goes round so many times: it reads, then writes by what it read.
 */
import type { Op, Reply } from "@persist/conformance"
import { Catalogue, isStoreError, makeStore, type StoreError, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { openUrl } from "persist/effect"
import { type Bug, spoilt } from "../bug.ts"
import { tell } from "../message.ts"
import { failureOf } from "../recording.ts"
import { commandOf } from "./command.ts"

/** What it is told to do. */
export interface RegisterCommand {
  readonly url: string
  /** Unique among all who write to this store: what it writes begins with it. */
  readonly name: string
  readonly clients: number
  readonly rounds: number
  readonly bug?: Bug | undefined
}

// Of the machine, not of the process: in microseconds.
const now = (): number => Number(process.hrtime.bigint() / 1000n)

const Said = Catalogue.make({ T: Schema.String })

let calls = 0

/** Makes a call and tells of it. */
const call = Effect.fnUntraced(function*(op: Op, effect: Effect.Effect<Reply, StoreError>) {
  const n = ++calls
  tell({ _tag: "Began", call: n, op, at: now() })
  const told = yield* Effect.result(effect)
  if (Result.isSuccess(told)) tell({ _tag: "Ended", call: n, reply: told.success, at: now() })
  else if (isStoreError(told.failure) && told.failure._tag === "OutcomeUnknown") {
    tell({ _tag: "Ended", call: n, reply: undefined, at: now() })
  } else tell({ _tag: "Nothing", call: n })
  return Result.getSuccess(told)
})

const client = Effect.fnUntraced(function*(store: StoreShape, name: string, rounds: number) {
  const log = store.log(Said)
  const kv = store.kv("n", Schema.String)
  const entry = Effect.map(kv.entry("k"), Option.getOrUndefined)
  for (let round = 0; round < rounds; round++) {
    const value = `${name}.${round}`
    const read = Effect.map(Stream.runCollect(log.read("s")), (events) => events.map(({ data }) => data))
    const events = yield* call({ _tag: "ReadStream" }, read)
    if (Option.isSome(events) && Array.isArray(events.value)) {
      const expected = events.value.length
      const append = log.append("s", { type: "T", data: value }, { expected, id: `${value} s` })
      yield* call({ _tag: "Append", expected, value }, Effect.map(append, ({ _tag }) => _tag === "Committed"))
    }
    const found = yield* Effect.result(entry)
    if (Result.isFailure(found)) continue
    const held = found.success
    const write = kv.put("k", value, { expected: held?.revision ?? "absent", id: `${value} k` })
    yield* call(
      { _tag: "Write", expected: held?.value, value },
      Effect.map(write, (written) => written._tag !== "Conflict")
    )
    yield* call({ _tag: "ReadKey" }, Effect.map(entry, (one) => ({ value: one?.value })))
  }
})

const { bug, clients, name, rounds, url } = await commandOf<RegisterCommand>()
const work = Effect.scoped(Effect.gen(function*() {
  const backend = yield* openUrl(url)
  const store = yield* makeStore(bug === undefined ? backend : spoilt(backend, bug))
  tell({ _tag: "Mark", name: "open" })
  const names = Array.from({ length: clients }, (_, n) => `${name}.${n}`)
  yield* Effect.forEach(names, (each) => client(store, each, rounds), { concurrency: "unbounded" })
}))
await Effect.runPromise(
  Effect.catchCause(work, (cause) => Effect.sync(() => tell({ _tag: "Shut", ...failureOf(cause) })))
)
process.stdin.destroy()
