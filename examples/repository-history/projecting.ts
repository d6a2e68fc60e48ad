/** The three projections of the history together: their states, what they took, and how they are shown. */
import type { Catalogue, Projected, Projection } from "persist"
import churn from "./churn.ts"
import contributors from "./contributors.ts"
import { count, line, table } from "./display.ts"
import { type Figures, figuresOf, topTen } from "./figures.ts"
import longestStreams from "./longest-streams.ts"

/** One way to fold a projection over a store: from zero, from its snapshot, as of a moment. */
export type Fold = <S, C extends Catalogue>(projection: Projection<S, C>) => Promise<Projected<S>>

/** What one projection took. */
export interface Cost {
  readonly name: string
  /** Events read. */
  readonly replayed: number
  readonly milliseconds: number
}

/** Folds the three projections, one after another. */
export const projectAll = async (fold: Fold) => {
  const costs = new Array<Cost>()
  const timed: Fold = async (projection) => {
    const from = performance.now()
    const projected = await fold(projection)
    costs.push({ name: projection.name, replayed: projected.replayed, milliseconds: performance.now() - from })
    return projected
  }
  const commits = await timed(contributors)
  const changes = await timed(churn)
  const streams = await timed(longestStreams)
  const figures = figuresOf(commits.state, changes.state, streams.state)
  return { commits: commits.state, changes: changes.state, figures, position: streams.position, costs }
}

/** What several costs come to. */
export const total = (costs: ReadonlyArray<Cost>, of: "replayed" | "milliseconds"): number =>
  costs.reduce((sum, cost) => sum + cost[of], 0)

const shownOfEach = 5

/** Shows the first few of each kind. */
export const showFigures = ({ churnByDirectory, commitsByAuthor, longestStreams: longest, ...sums }: Figures): void => {
  const authors = topTen(commitsByAuthor, (commits) => commits)
  const directories = topTen(churnByDirectory, ({ changes }) => changes)
  const right = "start"
  const tables = [
    table(
      [{ head: `${sums.authors} contributors` }, { head: "commits", side: right }],
      authors.map(([name, commits]) => ({ cells: [name, count(commits)], amount: commits }))
    ),
    table(
      [
        { head: "churn by directory" },
        { head: "changes", side: right },
        { head: "added", side: right },
        { head: "deleted", side: right }
      ],
      directories.map(([name, { added, changes, deleted }]) => ({
        cells: [name, count(changes), `+${count(added)}`, `-${count(deleted)}`],
        amount: changes
      }))
    ),
    table(
      [{ head: `${count(sums.streams)} streams, longest first` }, { head: "events", side: right }],
      longest.map(({ events, stream }) => ({ cells: [stream, count(events)], amount: events }))
    )
  ]
  for (const lines of tables) {
    line()
    lines.slice(0, shownOfEach + 1).forEach((text) => line(text))
  }
  line()
}
