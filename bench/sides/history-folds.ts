/** The three folds of the real history by hand, over rows from wherever. */
import { type Churn, none } from "../../examples/repository-history/churn.ts"
import { directoryOf } from "../../examples/repository-history/events.ts"
import { figuresOf } from "../../examples/repository-history/figures.ts"
import { checkFigures } from "./history.ts"

/** What the folds need of an event. */
export interface HistoryRow {
  readonly stream: string
  readonly data: string
}

/** Reads the events whose type is like a pattern of SQL's, in order. Waited for once a pass, and never for a row. */
export type ReadRows = (type: string) => Iterable<HistoryRow> | Promise<Iterable<HistoryRow>>

/**
 * Folds three times in three passes over the rows: into maps, without checks, and without a state to keep. Throws where
 * the figures aren't those that are known; gives how many rows were read.
 */
export const foldThree = async (read: ReadRows): Promise<number> => {
  let count = 0
  const rows = function*(found: Iterable<HistoryRow>) {
    for (const row of found) {
      count++
      yield row
    }
  }
  const commits = new Map<string, number>()
  for (const { data } of rows(await read("CommitAuthored"))) {
    const { author } = JSON.parse(data)
    commits.set(author, (commits.get(author) ?? 0) + 1)
  }
  const churn = new Map<string, Churn>()
  for (const { data, stream } of rows(await read("FileChanged"))) {
    const change = JSON.parse(data)
    const directory = directoryOf(stream)
    const { added, changes, deleted } = churn.get(directory) ?? none
    churn.set(directory, { changes: changes + 1, added: added + change.added, deleted: deleted + change.deleted })
  }
  const lengths = new Map<string, number>()
  let events = 0
  for (const { stream } of rows(await read("%"))) {
    events++
    lengths.set(stream, (lengths.get(stream) ?? 0) + 1)
  }
  const longest = [...lengths].map(([stream, length]) => ({ stream, events: length }))
    .sort((a, b) => b.events - a.events).slice(0, 10)
  const sums = { events, streams: lengths.size, longest }
  checkFigures(figuresOf(Object.fromEntries(commits), Object.fromEntries(churn), sums))
  return count
}
