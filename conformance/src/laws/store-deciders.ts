/** Laws of deciders: what is decided on a state is appended to just that state, or decided again. */
import type { BackendShape, Conflict, Decided } from "@persist/core"
import { Catalogue, Decider, Projection, SnapshotPolicy } from "@persist/core"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type Broken, broken, equal, every, holds, show } from "../assertion.ts"
import { append, commitOne } from "../given.ts"
import { count, dataOf, failing } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store deciders")

const Account = Catalogue.make({ Paid: Schema.Finite, Drawn: Schema.Finite })

class Overdrawn extends Data.TaggedError("Overdrawn")<{ readonly balance: number }> {}

type Command = { readonly pay: number } | { readonly draw: number } | { readonly both: number } | "nothing" | "throw"

const balance = Projection.make({
  name: "balance",
  version: 1,
  events: Account,
  seed: 0,
  step: (sum, { data, type }) => type === "Paid" ? sum + data : sum - data
})

/** The states that a decision was asked about, in turn. */
const teller = (asked: Array<number> = []) =>
  Decider.make({
    name: "teller",
    projection: balance,
    decide: (state: number, command: Command) => {
      asked.push(state)
      if (command === "throw") throw new Error("at the teller's")
      if (command === "nothing") return []
      if ("pay" in command) return [{ type: "Paid" as const, data: command.pay }]
      if ("both" in command) {
        return [{ type: "Paid" as const, data: command.both }, { type: "Drawn" as const, data: command.both }]
      }
      return state < command.draw
        ? Result.fail(new Overdrawn({ balance: state }))
        : [{ type: "Drawn" as const, data: command.draw }]
    }
  })

// A backend on which somebody else pays 10 just before each of the next appends of more than one attempt.
const raced = (backend: BackendShape, races: number): BackendShape => {
  let left = races
  const pay = append("account", "10")
  const rival = { append: [{ ...pay, events: [{ ...pay.events[0], type: "Paid" }] as const }] }
  return {
    ...backend,
    commit: (batch) =>
      Effect.suspend(() =>
        batch.some(({ append: appends }) => appends.length > 0) && left-- > 0
          ? Effect.andThen(Effect.orDie(commitOne(backend, rival)), backend.commit(batch))
          : backend.commit(batch)
      )
  }
}

// What came of a command, which must be that it was carried out.
const decided = <E>(outcome: Effect.Effect<Decided | Conflict, E>): Effect.Effect<Decided, E | Broken> =>
  Effect.flatMap(
    outcome,
    (one) =>
      one._tag === "Decided"
        ? Effect.succeed(one)
        : broken(`the command should have been carried out, saw ${show(one)}`)
  )

/** Laws of decisions. */
export const storeDeciders = [
  law("what is decided on a stream's state is appended to it", ["atomic", "meta"], function*(store, { core }) {
    const decider = teller()
    const paid = yield* decided(core.decide(store, decider, "account", { pay: 5 }))
    yield* equal("the first", [Number(paid.seq), paid.conflicts, paid.repeated], [1, 0, false])
    const both = yield* decided(core.decide(store, decider, "account", { both: 3 }, { meta: { by: "me" }, at: 7 }))
    yield* equal("where two are", [both.appended?.first, both.appended?.last].map(Number), [2, 3])
    const events = yield* Stream.runCollect(store.log(Account).read("account"))
    yield* equal("events", events.map(({ data, type }) => `${type} ${data}`), ["Paid 5", "Paid 3", "Drawn 3"])
    yield* every("what goes with them", events.slice(1), ({ at, meta }) => at === 7 && meta?.["by"] === "me")
    yield* equal("position", both.position, both.appended?.lastPosition)
  }),

  law("a command that decides nothing changes nothing", [], function*(store, { core }) {
    const decider = teller()
    yield* decided(core.decide(store, decider, "account", { pay: 5 }))
    const head = yield* store.head
    const nothing = yield* decided(core.decide(store, decider, "account", "nothing"))
    yield* equal("what it tells", [nothing.appended, Number(nothing.seq), nothing.conflicts], [undefined, 1, 0])
    yield* equal("head", yield* store.head, head)
    yield* equal("data", yield* dataOf(store, "account"), [5])
  }),

  law("what is refused fails with the decider's own error, and nothing happens", [], function*(store, { core }) {
    const decider = teller()
    yield* decided(core.decide(store, decider, "account", { pay: 5 }))
    const refusal = yield* Effect.flip(core.decide(store, decider, "account", { draw: 6 }))
    yield* equal("refusal", [refusal._tag, refusal._tag === "Overdrawn" && refusal.balance], ["Overdrawn", 5])
    yield* failing("a decision that throws", core.decide(store, decider, "account", "throw"), "Invalid", "teller")
    yield* equal("data", yield* dataOf(store, "account"), [5])
  }),

  law("whoever was slower decides again on what was appended meanwhile", [], function*(_store, { core, over }) {
    const store = yield* over((backend) => raced(backend, 2))
    const asked: Array<number> = []
    const { conflicts, seq } = yield* decided(core.decide(store, teller(asked), "account", { pay: 1 }))
    yield* equal("conflicts", conflicts, 2)
    yield* equal("the states it was asked about", asked, [0, 10, 20])
    yield* equal("where it is", Number(seq), 3)
    yield* equal("data", yield* dataOf(store, "account"), [10, 10, 1])
    // What was enough before may be too little now.
    const slow = yield* over((backend) => raced(backend, 1))
    const broke = Effect.flip(core.decide(slow, teller(), "other", { draw: 5 }))
    yield* equal("refusal on a stream without races", (yield* broke)._tag, "Overdrawn")
  }),

  law("a command gives up after so many lost races, tells the last of them, and leaves nothing", [], function*(
    _store,
    { core, over }
  ) {
    for (const retries of [0, 2]) {
      const asked: Array<number> = []
      const store = yield* over((backend) => raced(backend, 10))
      const before = (yield* dataOf(store, "account")).length
      const outcome = yield* core.decide(store, teller(asked), "account", { pay: 1 }, { retries })
      yield* equal("outcome", outcome._tag, "Conflict")
      yield* equal("how often it decided", asked.length, retries + 1)
      const data = yield* dataOf(store, "account")
      yield* equal("what the others appended", data.slice(before), count(retries + 1).map(() => 10))
    }
  }),

  law("commands at once on one stream are each decided on the state that they change", [], function*(store, { core }) {
    const decider = teller()
    yield* decided(core.decide(store, decider, "account", { pay: 5 }))
    const outcomes = yield* Effect.forEach(
      count(12),
      () => Effect.result(core.decide(store, decider, "account", { draw: 1 }, { retries: 20 })),
      { concurrency: "unbounded" }
    )
    yield* equal("commands that were carried out", outcomes.filter(Result.isSuccess).length, 5)
    yield* every("the others", outcomes.filter(Result.isFailure), ({ failure }) => failure._tag === "Overdrawn")
    yield* equal("data", yield* dataOf(store, "account"), [5, 1, 1, 1, 1, 1])
  }),

  law("a command under an id is carried out once, and told its first result again", ["resolve"], function*(
    store,
    { core }
  ) {
    const decider = teller()
    const pay = () => decided(core.decide(store, decider, "account", { pay: 5 }, { id: "one" }))
    const first = yield* pay()
    yield* decided(core.decide(store, decider, "account", { pay: 7 }))
    const again = yield* Effect.all([pay(), pay()], { concurrency: "unbounded" })
    for (const { appended, repeated } of again) {
      yield* equal("again", [appended, repeated], [first.appended, true])
    }
    yield* equal("data", yield* dataOf(store, "account"), [5, 7])
    yield* store.log().append("other", { type: "T", data: 1 }, { expected: 0, id: "elsewhere" })
    const misused = core.decide(store, decider, "account", { pay: 1 }, { id: "elsewhere" })
    yield* failing("an id that was used elsewhere", misused, "Invalid", "id")
  }),

  law("a decider goes on from a snapshot of its state, and saves one when that is due", ["scan"], function*(
    store,
    { core }
  ) {
    const asked: Array<number> = []
    const decider = teller(asked)
    for (const n of count(5)) {
      yield* decided(core.decide(store, decider, "account", { pay: n }, { snapshots: SnapshotPolicy.every(4) }))
    }
    const saved = yield* Stream.runCollect(core.listSnapshots(store))
    yield* equal("snapshots by seq", saved.map(({ seq }) => Number(seq)), [4])
    const { from, replayed, state } = yield* core.load(store, balance, {
      stream: "account",
      snapshots: SnapshotPolicy.never
    })
    yield* equal("what it goes on from", [Number(from?.seq), replayed, state], [4, 1, 15])
    yield* decided(core.decide(store, decider, "account", { draw: 15 }))
    yield* equal("the states it was asked about", asked, [0, 1, 3, 6, 10, 15])
    yield* holds((yield* dataOf(store, "account")).length === 6, "an event is missing")
  })
]
