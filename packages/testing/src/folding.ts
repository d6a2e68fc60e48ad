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
  expectEqual(`${title(fold)} isn't as expected`, "state", expected, state, (found) => blamed(fold, found))
}

const checkState = <S>(fold: Folding<S>, state: S, check: Check<S>): void => {
  const refusal = refusalOf(check, state)
  if (refusal === undefined) return
  const trail = new Trail<S>((each) => [refusalOf(check, each) === undefined, textOf(each)])
  follow(fold, [trail])
  const message = [
    `${title(fold)} doesn't pass: ${refusal.reason}`,
    `  state: ${shown(state)}`,
    `    ${told(fold, "passed", trail)}`
  ].join("\n")
  throw new ExpectationFailed(message, refusal.cause === undefined ? {} : { cause: refusal.cause })
}

const title = ({ events, what }: Folding<unknown>): string =>
  `${what} after ${events.length === 1 ? "1 event" : `${events.length} events`}`

/** A line for each difference: which event made it. */
const blamed = <S>(fold: Folding<S>, found: ReadonlyArray<Difference>): ReadonlyArray<string> => {
  const trails = found.map(({ expected, keys }) =>
    new Trail<S>((state) => {
      const part = partAt(state, keys)
      return [differences(expected, part).length === 0, textOf(part)]
    })
  )
  follow(fold, trails)
  return trails.map((trail) => told(fold, "as expected", trail))
}

/** What became of a state or a part of it: as text, since the next step may change in place what it is. */
class Trail<S> {
  /** After how many events it was right last; -1 where it never was. */
  right = -1
  /** What it became of what by the event after that. */
  broken: readonly [string, string] = ["", ""]
  /** After how many events it had changed last; 0 where it never did. */
  changed = 0
  change: readonly [string, string] = ["", ""]
  private text = ""
  private readonly look: (state: S) => readonly [boolean, string]

  /** `look` says whether a state is right, and gives the text of what is looked at. */
  constructor(look: (state: S) => readonly [boolean, string]) {
    this.look = look
  }

  /** Takes the state after n events. */
  take(state: S, n: number): void {
    const [isRight, text] = this.look(state)
    if (text !== this.text) {
      this.changed = n
      this.change = [this.text, text]
    }
    if (isRight) this.right = n
    else if (this.right === n - 1) this.broken = [this.text, text]
    this.text = text
  }
}

const follow = <S>(fold: Folding<S>, trails: ReadonlyArray<Trail<S>>): void => {
  let n = 0
  for (const state of fold.states()) {
    for (const trail of trails) trail.take(state, n)
    n++
  }
}

const told = <S>({ events }: Folding<S>, what: string, { broken, change, changed, right }: Trail<S>): string => {
  if (right === events.length) return "folded again it is as expected: the fold isn't a function of its events"
  const [breaking, changing] = [events[right], events[changed - 1]]
  if (breaking !== undefined) return `${what} until ${eventShown(breaking)}, changed it ${fromTo(broken)}`
  return changing === undefined
    ? `never ${what}; it is so from the start, and no event changed it`
    : `never ${what}; ${eventShown(changing)}, changed it last, ${fromTo(change)}`
}

const fromTo = ([from, to]: readonly [string, string]): string => `from ${cut(from)} to ${cut(to)}`
