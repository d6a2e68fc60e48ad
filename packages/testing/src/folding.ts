/** Folds step by step, so that an expectation that fails can name the event that made the difference. */
import type { Event } from "@persist/core"
import { type Difference, differences, partAt } from "./difference.ts"
import { type Check, ExpectationFailed, expectEqual, refusalOf } from "./expectation.ts"
import { cut, eventShown, shown, textOf } from "./shown.ts"

/** A fold of given events. It is folded anew each time, since a step may change its state in place. */
export interface Folding<S> {
  /** What is folded: `projection "balance"`. */
  readonly what: string
  readonly events: ReadonlyArray<Event>
  /** The state after all of them. */
  readonly last: () => S
  /** The state before the first event, and after each. */
  readonly states: () => Iterable<S>
}

/** Makes a fold; `view` turns what is folded into the state that is looked at. */
export const folding = <T, E extends Event, S>(
  what: string,
  events: ReadonlyArray<E>,
  { seed, step, view }: {
    readonly seed: () => T
    readonly step: (folded: T, event: E) => T
    readonly view: (folded: T) => S
  }
): Folding<S> => ({
  what,
  events,
  last: () => {
    let folded = seed()
    for (const event of events) folded = step(folded, event)
    return view(folded)
  },
  states: function*() {
    let folded = seed()
    yield view(folded)
    for (const event of events) {
      folded = step(folded, event)
      yield view(folded)
    }
  }
})

/** Fails unless the state is equal to what's expected, or passes the check; says which event made the difference. */
export const expectState = <S>(fold: Folding<S>, state: S, expected: S | Check<S>): void => {
  // A state is data, so a function can only be a check of one.
  if (typeof expected === "function") return checkState(fold, state, expected as Check<S>)
  expectEqual(`${title(fold)} isn't as expected`, "state", expected, state, (found) => [blame(fold, found)])
}

const checkState = <S>(fold: Folding<S>, state: S, check: Check<S>): void => {
  const refusal = refusalOf(check, state)
  if (refusal === undefined) return
  const message = [
    `${title(fold)} doesn't pass: ${refusal.reason}`,
    `  state: ${shown(state)}`,
    `    ${told(fold, "passed", (each) => [refusalOf(check, each) === undefined, textOf(each)])}`
  ].join("\n")
  throw new ExpectationFailed(message, refusal.cause === undefined ? {} : { cause: refusal.cause })
}

const title = ({ events, what }: Folding<unknown>): string =>
  `${what} after ${events.length === 1 ? "1 event" : `${events.length} events`}`

const blame = <S>(fold: Folding<S>, { expected, keys }: Difference): string =>
  told(fold, "as expected", (state) => {
    const part = partAt(state, keys)
    return [differences(expected, part).length === 0, textOf(part)]
  })

/** Which event is to blame, told from whether each state was right, and its text. */
const told = <S>(fold: Folding<S>, right: string, look: (state: S) => readonly [boolean, string]): string => {
  // Looked at one by one, for the next step may change in place what the one before gave.
  const seen: Array<readonly [boolean, string]> = []
  for (const state of fold.states()) seen.push(look(state))
  const textAt = (n: number) => cut(seen[n]?.[1] ?? "")
  const lastRight = seen.findLastIndex(([isRight]) => isRight)
  if (lastRight === seen.length - 1) return "folded again it is as expected: the fold isn't a function of its events"
  const breaking = fold.events[lastRight]
  if (breaking !== undefined) {
    return `${right} until ${eventShown(breaking)}, changed it from ${textAt(lastRight)} to ${textAt(lastRight + 1)}`
  }
  const lastChange = seen.findLastIndex(([, text], n) => n > 0 && text !== seen[n - 1]?.[1])
  const changing = fold.events[lastChange - 1]
  return changing === undefined
    ? `never ${right}; it is so from the start, and no event changed it`
    : `never ${right}; ${eventShown(changing)}, changed it last, from ${textAt(lastChange - 1)} to ${
      textAt(lastChange)
    }`
}
