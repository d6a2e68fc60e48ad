/** Which runs to merge: neighbours of about the same size, as soon as there are enough of them. */

/** Runs from `from` on, `count` of them, that are to become one. */
export interface MergePlan {
  readonly from: number
  readonly count: number
}

// So many runs of one tier become one of the next: each entry is written again once for every tier, and a look-up asks
// the filters of at most so many runs a tier.
const fanout = 8

// More than this at once would only make each step slower.
const mostRuns = 16

// Runs up to this size are of the lowest tier, in bytes.
const lowestTier = 1024 * 1024

/**
 * The next merge for runs of these sizes, oldest first; `undefined` where there's nothing to gain. Neighbours alone
 * may merge, since of one key the newest must win. The smallest go first.
 */
export const planMerge = (bytes: ReadonlyArray<number>): MergePlan | undefined => {
  const tiers = bytes.map(tierOf)
  for (const tier of [...new Set(tiers)].sort((a, b) => a - b)) {
    const plan = planTier(tiers, tier)
    if (plan !== undefined) return plan
  }
  return undefined
}

// The newest stretch of runs of this tier or below that is long enough.
const planTier = (tiers: ReadonlyArray<number>, tier: number): MergePlan | undefined => {
  let end = tiers.length
  for (let i = tiers.length - 1; i >= -1; i--) {
    if (i >= 0 && (tiers[i] ?? 0) <= tier) continue
    const count = end - i - 1
    if (count >= fanout) return { from: end - Math.min(count, mostRuns), count: Math.min(count, mostRuns) }
    end = i
  }
  return undefined
}

const tierOf = (bytes: number): number => {
  let tier = 0
  for (let size = lowestTier; size < bytes; size *= fanout) tier++
  return tier
}
