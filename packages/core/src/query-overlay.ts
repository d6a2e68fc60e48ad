/** States that a query meets in the place of those that are stored. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Invalid } from "./error.ts"
import type { Entry } from "./kv.ts"
import { compareUtf8 } from "./name.ts"
import { type Bounds, isWithin, type Plan } from "./query-plan.ts"
import type { Look, Reading } from "./query-read.ts"
import { entryOf } from "./read-index.ts"

/**
 * Leaves out what is stored of some keys, and puts entries of theirs where they stand in the order of the plan.
 * `Invalid` for a state without a place in its index.
 */
export const overlaid = <A>(
  read: Reading<A>,
  { index, reverse }: Plan,
  keys: ReadonlySet<string>,
  entries: Iterable<Entry<A>>
): Result.Result<Reading<A>, Invalid> => {
  const inOrder = (a: Look<A>, b: Look<A>): number => compareUtf8(a.place, b.place) * (reverse ? -1 : 1)
  const own: Array<Look<A>> = []
  for (const entry of entries) {
    const place = index === undefined ? Result.succeed(entry.key) : entryOf(index, entry.key, entry.value)
    if (Result.isFailure(place)) return Result.fail(place.failure)
    own.push({ place: place.success, entry })
  }
  own.sort(inOrder)
  return Result.succeed((bounds: Bounds, limit: number) =>
    Effect.map(read(bounds, limit), ({ looks, more }) => {
      const last = looks.at(-1)
      // Behind the last that was read there may be others before them.
      const met = own.filter((look) =>
        isWithin(bounds, look.place) && (!more || (last !== undefined && inOrder(look, last) <= 0))
      )
      const stored = looks.map((look) =>
        look.entry !== undefined && keys.has(look.entry.key) ? { ...look, entry: undefined } : look
      )
      return { looks: met.length === 0 ? stored : [...stored, ...met].sort(inOrder), more }
    })
  )
}
