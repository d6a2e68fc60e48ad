/** What the compiler knows of tests: events and commands by their types, failures by their deciders. Never run. */
import { anyEvents, Catalogue, Decider, type InputOf, Projection, ReadModel } from "@persist/core"
import {
  checkDecider,
  checkProjection,
  checkReadModel,
  type Faults,
  type Given,
  given,
  makeFaults
} from "@persist/testing"
import type * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { open } from "persist"
import { expectTypeOf } from "vitest"

const Account = Catalogue.make({ Deposited: Schema.Int, Named: Schema.Struct({ name: Schema.String }) })

interface State {
  readonly status: "open" | "closed"
  readonly cents: number
}

const state = Projection.make({
  name: "state",
  version: 1,
  events: Account,
  seed: (): State => ({ status: "open", cents: 0 }),
  step: (before, event) => event.type === "Deposited" ? { ...before, cents: event.data } : before
})

class Refused {
  readonly _tag = "Refused"
  readonly why: string
  constructor(why: string) {
    this.why = why
  }
}

type Command = { readonly put: number } | { readonly name: string }

const account = Decider.make({
  name: "account",
  projection: state,
  decide: (_, command: Command) =>
    "put" in command ? [{ type: "Deposited", data: command.put }] : Result.fail(new Refused(command.name))
})

const unfailing = Decider.make({
  name: "u",
  projection: state,
  decide: (_, n: number) => [{ type: "Deposited", data: n }]
})

const byName = ReadModel.make({
  name: "by-name",
  version: 1,
  events: Account.only("Named"),
  keys: ({ data }) => data.name,
  seed: { n: 0 },
  value: Schema.Struct({ n: Schema.Int }),
  step: ({ n }) => ({ n: n + 1 })
})

// Literals as they are written, without annotations, alone and in a list of the catalogue's own.
const some: ReadonlyArray<InputOf<typeof Account>> = []
const one = given(
  Account,
  { type: "Deposited", data: 5 },
  { type: "Named", data: { name: "a" }, stream: "b", at: 5 },
  ...some
)
expectTypeOf(one).toEqualTypeOf<Given>()
expectTypeOf(given(anyEvents, { type: "Anything", data: [null] })).toEqualTypeOf<Given>()

// @ts-expect-error: no such type
given(Account, { type: "Deposit", data: 5 })

// @ts-expect-error: the data of another type
given(Account, { type: "Deposited", data: { name: "a" } })

// @ts-expect-error: no data
given(Account, { type: "Deposited" })

// @ts-expect-error: no such property
given(Account, { type: "Deposited", data: 5, strem: "a" })

// @ts-expect-error: no such type in what goes on
one.and(Account, { type: "Deposit", data: 5 })

// The state is that of the projection, or those of the read model by key; checks know it.
expectTypeOf(one.project(state).state).toEqualTypeOf<State>()
expectTypeOf(one.project(state).expect({ status: "open", cents: 5 })).toEqualTypeOf<Given>()
one.project(state).expect(({ cents, status }) => status === "open" && cents > 1)
expectTypeOf(one.project(byName).state).toEqualTypeOf<Readonly<Record<string, { readonly n: number }>>>()
one.project(byName).expect({ a: { n: 1 } }).project(byName).expect((states) => (states["a"]?.n ?? 0) > 0)

// @ts-expect-error: no such status
one.project(state).expect({ status: "lost", cents: 5 })

// @ts-expect-error: a part that isn't there
one.project(byName).expect({ a: { m: 1 } })

// @ts-expect-error: nobody would wait for this check
one.project(state).expect(() => Promise.resolve(true))

// A command, the events that are decided and the failures follow from the decider.
const asked = one.when(account, { put: 5 })
expectTypeOf(asked.decision).toEqualTypeOf<Result.Result<ReadonlyArray<InputOf<typeof Account>>, Refused>>()
expectTypeOf(asked.expect({ type: "Deposited", data: 5 }, { type: "Named", data: { name: "a" } })).toEqualTypeOf<
  Given
>()
asked.expect((events) => events.every(({ type }) => type === "Deposited"))
asked.expectFailure(new Refused("a")).when(account, { name: "a" }, "b").expectFailure(({ why }) => why === "a")
expectTypeOf(asked.expectNothing()).toEqualTypeOf<Given>()

// @ts-expect-error: no such command
one.when(account, { take: 5 })

// @ts-expect-error: no such event
asked.expect({ type: "Deposit", data: 5 })

// @ts-expect-error: the data of another type
asked.expect({ type: "Named", data: 5 })

// @ts-expect-error: nothing is `expectNothing`
asked.expect()

// @ts-expect-error: no such failure
asked.expectFailure({ _tag: "Lost", why: "a" })

// @ts-expect-error: this decider refuses nothing
one.when(unfailing, 5).expectFailure(() => true)

// Random histories, in a line each.
checkProjection(state)
checkReadModel(byName, { runs: 10 })
checkDecider(account, Schema.Struct({ put: Schema.Int }))

// A store with faults opens as any backend does, whatever it's made of.
const faults = makeFaults()
expectTypeOf(faults).toEqualTypeOf<Faults>()
expectTypeOf(open(faults.backend)).toEqualTypeOf<ReturnType<typeof open>>()
declare const remote: Effect.Effect<Effect.Success<typeof faults.backend>, "lost", "network">
expectTypeOf(makeFaults(remote)).toEqualTypeOf<Faults<"lost", "network">>()

// @ts-expect-error: no such mishap
faults.next("broken")
