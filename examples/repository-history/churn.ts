/** Changes to files by directory, and the lines they added and deleted. */
import { Projection } from "persist"
import { directoryOf, history } from "./events.ts"

/** What happened to the files of a directory. */
export interface Churn {
  readonly changes: number
  readonly added: number
  readonly deleted: number
}

const seed: { readonly [directory: string]: Churn } = {}

export const none: Churn = { changes: 0, added: 0, deleted: 0 }

export default Projection.make({
  name: "churn",
  version: 1,
  events: history.only("FileChanged"),
  seed,
  step: (churn, { data, stream }) => {
    const directory = directoryOf(stream)
    const { added, changes, deleted } = churn[directory] ?? none
    return {
      ...churn,
      [directory]: { changes: changes + 1, added: added + data.added, deleted: deleted + data.deleted }
    }
  }
})
