/** Who should run what: dealt from the names alone, so that everyone who sees the same runners deals the same. */
import { hashOf } from "./partition.ts"

/**
 * Deals readers to runners: each to the one whose hash with it is the highest, of those that have room for it
 * (rendezvous hashing with a bound). Nobody gets more than one more than another, and a runner that comes or goes
 * moves little that isn't its own.
 */
export const deal = (
  runners: ReadonlyArray<string>,
  readers: ReadonlyArray<string>
): ReadonlyMap<string, string> => {
  const dealt = new Map<string, string>()
  const got = new Map(runners.map((runner) => [runner, 0]))
  const least = Math.floor(readers.length / runners.length)
  let oneMore = readers.length % runners.length
  for (const reader of readers.toSorted()) {
    let best: { readonly runner: string; readonly score: number; readonly has: number } | undefined
    for (const [runner, has] of got) {
      if (has > least || (has === least && oneMore === 0)) continue
      const score = hashOf(`${runner}\0${reader}`)
      if (best === undefined || score > best.score || (score === best.score && runner > best.runner)) {
        best = { runner, score, has }
      }
    }
    if (best === undefined) return dealt
    if (best.has === least) oneMore--
    dealt.set(reader, best.runner)
    got.set(best.runner, best.has + 1)
  }
  return dealt
}
