/** The real history that the tour of the examples imports, and what is known of it. */
import { differences, expected, type Figures, input } from "../../examples/repository-history/figures.ts"

/** The file, lines of JSON, and how many events it holds. */
export const history = { path: input, events: expected.events }

/** Throws where projections don't say what is known: what's wrong needs no measuring. */
export const checkFigures = (figures: Figures): void => {
  const found = differences(figures, expected)
  if (found.length > 0) throw new Error(found.join("; "))
}
