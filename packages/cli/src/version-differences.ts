/** Where two versions of a read model differ, counted and shown by examples. */
import type { AnyValue } from "@persist/core"
import type { StoreShape } from "@persist/core"
import { compareVersions, type Comparison, type Difference } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { writeResult } from "./output.ts"
import { counted, printable } from "./printable.ts"

/** Two versions of a read model. */
export interface Versions {
  readonly model: string
  readonly before: number
  readonly after: number
}

interface Counts {
  added: number
  removed: number
  changed: number
  readonly examples: Array<Difference>
}

/** Writes how many states two versions differ in, and the first of them; answers how many. */
export const writeDifferences = Effect.fnUntraced(function*(
  store: StoreShape,
  { after, before, model }: Versions,
  most: number
) {
  const compared = yield* compareVersions(store, model, before, after)
  const counts: Counts = { added: 0, removed: 0, changed: 0, examples: [] }
  yield* Stream.runForEachArray(compared.differences, (page) =>
    Effect.sync(() => {
      for (const difference of page) count(counts, difference, most)
    }))
  const { added, changed, examples, removed } = counts
  const json = { model, before: compared.before, after: compared.after, added, removed, changed, examples }
  yield* writeResult(json, [summary(model, compared, counts), ...examples.flatMap(linesOf)])
  return added + removed + changed
})

const count = (counts: Counts, difference: Difference, most: number): void => {
  if (difference.before === undefined) counts.added++
  else if (difference.after === undefined) counts.removed++
  else counts.changed++
  if (counts.examples.length < most) counts.examples.push(difference)
}

const summary = (
  model: string,
  { after, before }: Comparison,
  { added, changed, examples, removed }: Counts
): string => {
  const all = added + removed + changed
  const which = `${model}@${before.version} at ${before.position} and ${model}@${after.version} at ${after.position}`
  const shown = all > examples.length ? `; the first ${examples.length}:` : all > 0 ? ":" : ""
  return printable(
    all === 0
      ? `${which} have the same states`
      : `${which} differ in ${counted(all, "key")}: ${added} added, ${removed} removed, ${changed} changed${shown}`
  )
}

const linesOf = ({ after, before, key }: Difference): ReadonlyArray<string> => [
  printable(`  ${key}`),
  ...before === undefined ? [] : [printable(`    - ${textOf(before)}`)],
  ...after === undefined ? [] : [printable(`    + ${textOf(after)}`)]
]

const textOf = (value: AnyValue): string =>
  value instanceof Uint8Array ? `${value.length} bytes` : JSON.stringify(value)
