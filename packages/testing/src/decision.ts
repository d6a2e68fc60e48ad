/** What a decider was asked and what it decided, and the expectations of that. */
import type { Catalogue, Decider, EventOf, InputOf } from "@persist/core"
import * as Result from "effect/Result"
import { type Check, ExpectationFailed, expectEqual, type Refusal, refusalOf } from "./expectation.ts"
import { shown } from "./shown.ts"

/** A decision of a decider. Its expectations give what goes on from there: what was decided has then happened. */
export interface ThenDecision<C extends Catalogue, E, Next> {
  /** What was decided, for assertions of your own: events, or the decider's own failure. */
  readonly decision: Result.Result<ReadonlyArray<InputOf<C>>, E>
  /**
   * Expects just these events, in this order: by type and data, and by `meta`, `id` and `at` where the expectation
   * names them. Or, with a function, events that pass it.
   */
  readonly expect: {
    (check: Check<ReadonlyArray<InputOf<C>>>): Next
    (first: InputOf<C>, ...more: ReadonlyArray<InputOf<C>>): Next
  }
  /** Expects that nothing is to change: no events, and no failure. */
  readonly expectNothing: () => Next
  /** Expects that the command is refused with this failure, or with one that passes the check; nothing happened. */
  readonly expectFailure: (expected: [E] extends [never] ? never : E | Check<E>) => Next
}

/** A decision together with what its expectations need to know. */
export interface Decided<C extends Catalogue, E, Next> {
  readonly decision: Result.Result<ReadonlyArray<InputOf<C>>, E>
  /** What the decider was asked, and where: how messages begin. */
  readonly title: string
  /** Events as they read back after an append; throws where that can't be. */
  readonly readBack: (what: string, events: ReadonlyArray<InputOf<C>>) => ReadonlyArray<EventOf<C>>
  /** What goes on from there, whether or not something was decided. */
  readonly next: () => Next
}

/** How messages call a question to a decider. */
export const titleOf = <S, C extends Catalogue, Command, E>(
  { name }: Decider<S, C, Command, E>,
  command: Command,
  state: S
): string => `decider ${JSON.stringify(name)}, asked for ${shown(command)} where the state is ${shown(state)},`

/** Makes the expectations of a decision. */
export const thenDecision = <C extends Catalogue, E, Next>(decided: Decided<C, E, Next>): ThenDecision<C, E, Next> => ({
  decision: decided.decision,
  expect: (first: InputOf<C> | Check<ReadonlyArray<InputOf<C>>>, ...more: ReadonlyArray<InputOf<C>>) =>
    typeof first === "function" ? expectPassing(decided, first) : expectEvents(decided, [first, ...more]),
  expectNothing: () => {
    const events = eventsOf(decided, "nothing")
    if (events.length === 0) return decided.next()
    throw new ExpectationFailed(`${decided.title} decided ${shown(events)}: expected nothing`)
  },
  expectFailure: (expected: E | Check<E>) => expectFailure(decided, expected)
})

/** The events of a decision; fails where it was refused. */
const eventsOf = <C extends Catalogue, E, Next>(
  { decision, title }: Decided<C, E, Next>,
  expected: string
): ReadonlyArray<InputOf<C>> => {
  if (Result.isSuccess(decision)) return decision.success
  throw new ExpectationFailed(`${title} refused with ${shown(decision.failure)}: expected ${expected}`, {
    cause: decision.failure
  })
}

const expectPassing = <C extends Catalogue, E, Next>(
  decided: Decided<C, E, Next>,
  check: Check<ReadonlyArray<InputOf<C>>>
): Next => {
  const events = eventsOf(decided, "events that pass a check")
  const refusal = refusalOf(check, events)
  if (refusal === undefined) return decided.next()
  throw refused(`${decided.title} decided ${shown(events)}: ${refusal.reason}`, refusal)
}

const expectEvents = <C extends Catalogue, E, Next>(
  decided: Decided<C, E, Next>,
  inputs: ReadonlyArray<InputOf<C>>
): Next => {
  const { readBack, title } = decided
  const expected = readBack("expected event", inputs)
  const actual = readBack("decided event", eventsOf(decided, shown(inputs)))
  expectEqual(
    `${title} decided otherwise than expected`,
    "events",
    expected.map((event, i) => looked(event, inputs[i])),
    actual.map((event, i) => looked(event, inputs[i]))
  )
  return decided.next()
}

/** What is looked at of an event: `meta`, `id` and `at` only where they are expected. */
const looked = ({ at, data, id, meta, type }: EventOf<Catalogue>, expected: InputOf<Catalogue> | undefined) => ({
  type,
  data,
  ...(expected?.meta === undefined ? {} : { meta }),
  ...(expected?.id === undefined ? {} : { id }),
  ...(expected?.at === undefined ? {} : { at })
})

const expectFailure = <C extends Catalogue, E, Next>(decided: Decided<C, E, Next>, expected: E | Check<E>): Next => {
  const { decision, title } = decided
  // A failure is data, so a function can only be a check of one.
  const check = typeof expected === "function" ? expected as Check<E> : undefined
  if (Result.isSuccess(decision)) {
    const wanted = check === undefined ? shown(expected) : "a failure that passes a check"
    throw new ExpectationFailed(`${title} decided ${shown(decision.success)}: expected it to refuse with ${wanted}`)
  }
  const { failure } = decision
  if (check === undefined) {
    expectEqual(`${title} refused otherwise than expected`, "failure", expected, failure)
    return decided.next()
  }
  const refusal = refusalOf(check, failure)
  if (refusal === undefined) return decided.next()
  throw refused(`${title} refused with ${shown(failure)}: ${refusal.reason}`, refusal)
}

const refused = (message: string, { cause }: Refusal): ExpectationFailed =>
  new ExpectationFailed(message, cause === undefined ? {} : { cause })
