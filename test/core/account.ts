/** An account with deposits and withdrawals, a decider over it, and somebody who is faster. */
import { assert } from "@effect/vitest"
import {
  type BackendShape,
  Catalogue,
  type Conflict,
  decide,
  type Decided,
  type DecideOptions,
  Decider,
  makeStore,
  project,
  Projection,
  type StoreShape
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** What can happen. */
export const Account = Catalogue.make({ Deposited: Schema.Int, Withdrawn: Schema.Int })

/** What is in it. */
export const balance = Projection.make({
  name: "balance",
  version: 1,
  seed: 0,
  events: Account,
  step: (cents, { data, type }) => type === "Deposited" ? cents + data : cents - data
})

/** More was asked for than there is. */
export class Overdrawn {
  readonly _tag = "Overdrawn"
  readonly missing: number
  constructor(missing: number) {
    this.missing = missing
  }
}

/** How often a decision was asked for. */
export const asked = { times: 0 }

/** Takes what there is, and puts what it's given; putting nothing is no event. */
export const account = Decider.make({
  name: "account",
  projection: balance,
  decide: (cents, command: { readonly take: number } | { readonly put: number }) => {
    asked.times++
    if ("put" in command) return command.put === 0 ? [] : [{ type: "Deposited", data: command.put }]
    return command.take > cents
      ? Result.fail(new Overdrawn(command.take - cents))
      : [{ type: "Withdrawn", data: command.take }]
  }
})

/** Puts into stream a. */
export const put = (store: StoreShape, n: number, options?: DecideOptions) =>
  decide(store, account, "a", { put: n }, options)
/** Takes from stream a. */
export const take = (store: StoreShape, n: number, options?: DecideOptions) =>
  decide(store, account, "a", { take: n }, options)

/** What is in stream a, by a full replay. */
export const now = (store: StoreShape) => Effect.map(project(store, balance, { stream: "a" }), ({ state }) => state)

/** That a command was carried out. */
export const carriedOut = (outcome: Decided | Conflict): Decided => {
  assert.strictEqual(outcome._tag, "Decided")
  return outcome as Decided // Just seen.
}

/** Somebody who is faster: does something before each of the first `times` commits that reach the backend. */
export const overtaken = (inner: BackendShape, times: number, act: (n: number) => Effect.Effect<unknown, unknown>) => {
  let n = 0
  return makeStore({
    ...inner,
    commit: (batch) => n++ < times ? Effect.andThen(Effect.orDie(act(n)), inner.commit(batch)) : inner.commit(batch)
  })
}
