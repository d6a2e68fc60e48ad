/** Medians, their spread, and ratios of interleaved rounds. */

/** The middle of some numbers, and the least and the greatest. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The middle one of some numbers; the upper one of two. */
export const median = (numbers: ReadonlyArray<number>): number =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN

/** How numbers spread. */
export const spread = (numbers: ReadonlyArray<number>): Spread => ({
  median: median(numbers),
  min: Math.min(...numbers),
  max: Math.max(...numbers)
})

/** How many times as good the first side is as the second, round by round: over 1 is better, whatever better is. */
export const ratios = (
  first: ReadonlyArray<number>,
  second: ReadonlyArray<number>,
  better: "more" | "less"
): Spread =>
  spread(
    first.slice(0, second.length).map((value, i) => {
      const other = second[i] ?? NaN
      return better === "more" ? value / other : other / value
    })
  )
