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

/** A line for each difference, followed by what is known of it; `whole` is what the value as a whole is called. */
export const toldDifferences = (
  whole: string,
  found: ReadonlyArray<Difference>,
  more: (difference: Difference) => ReadonlyArray<string> = () => []
): ReadonlyArray<string> => {
  const lines = found.slice(0, mostTold).flatMap((difference) => {
    const { actual, expected, keys } = difference
    return [
      `  ${placeShown(whole, keys)}: expected ${shown(expected)}, got ${shown(actual)}`,
      ...more(difference).map((line) => `    ${line}`)
    ]
  })
  return found.length > mostTold ? [...lines, `  and ${found.length - mostTold} more differences`] : lines
}

/** Fails unless two values are equal in content; `title` says what they are of. */
export const expectEqual = (
  title: string,
  whole: string,
  expected: unknown,
  actual: unknown,
  more?: (difference: Difference) => ReadonlyArray<string>
): void => {
  const found = differences(expected, actual)
  if (found.length === 0) return
  const told = toldDifferences(whole, found, more)
  const both = found.every(({ keys }) => keys.length === 0)
    ? []
    : [`  expected ${shown(expected)}`, `  got      ${shown(actual)}`]
  throw new ExpectationFailed([title, ...told, ...both].join("\n"), { values: { expected, actual } })
}
