/** What an expectation is, and how it fails: by an error that every test runner knows how to show. */
import { type Difference, differences } from "./difference.ts"
import { cut, placeShown, shown } from "./shown.ts"

/**
 * Looks at a value itself: it gives false, or throws, where the value isn't as it should be, so the assertions of any
 * test runner will do. It mustn't wait, and may be asked about other values too, to find where they came to differ.
 */
export type Check<A> = (value: A) => boolean | void

/** Something wasn't as a test expected; the message says what, and which event made the difference where that shows. */
export class ExpectationFailed extends Error {
  override readonly name = "ExpectationFailed"
  /** The two values, where it's a value that was expected: runners show how they differ. */
  declare readonly expected?: unknown
  declare readonly actual?: unknown

  constructor(
    message: string,
    told: { readonly values?: { readonly expected: unknown; readonly actual: unknown }; readonly cause?: unknown } = {}
  ) {
    super(message, "cause" in told ? { cause: told.cause } : undefined)
    if (told.values !== undefined) Object.assign(this, told.values)
  }
}

/** Why a check refuses a value. */
export interface Refusal {
  readonly reason: string
  readonly cause: unknown
}

/** Asks a check about a value; `undefined` where it holds. */
export const refusalOf = <A>(check: Check<A>, value: A): Refusal | undefined => {
  try {
    const answer: unknown = check(value)
    if (answer instanceof Promise) {
      return { reason: "the check gave a promise, and nobody waits for it", cause: undefined }
    }
    return answer === false ? { reason: "the check gave false", cause: undefined } : undefined
  } catch (cause) {
    return { reason: `the check threw ${cause instanceof Error ? cut(String(cause)) : shown(cause)}`, cause }
  }
}

/** Most differences that one message tells. */
const mostTold = 8

/**
 * Fails unless two values are equal in content. `title` says what they are of, `whole` is what a value as a whole is
 * called, and `more` gives a line for each of the differences that are told.
 */
export const expectEqual = (
  title: string,
  whole: string,
  expected: unknown,
  actual: unknown,
  more: (told: ReadonlyArray<Difference>) => ReadonlyArray<string> = () => []
): void => {
  const found = differences(expected, actual)
  if (found.length === 0) return
  const told = found.slice(0, mostTold)
  const known = more(told)
  const lines = told.flatMap(({ actual: is, expected: wanted, keys }, i) => [
    `  ${placeShown(whole, keys)}: expected ${shown(wanted)}, got ${shown(is)}`,
    ...known[i] === undefined ? [] : [`    ${known[i]}`]
  ])
  if (found.length > mostTold) lines.push(`  and ${found.length - mostTold} more differences`)
  if (found.some(({ keys }) => keys.length > 0)) {
    lines.push(`  expected ${shown(expected)}`, `  got      ${shown(actual)}`)
  }
  throw new ExpectationFailed([title, ...lines].join("\n"), { values: { expected, actual } })
}
