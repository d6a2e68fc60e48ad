/** Commits by author. */
import { Projection } from "persist"
import { history } from "./events.ts"

const seed: { readonly [author: string]: number } = {}

export default Projection.make({
  name: "contributors",
  version: 1,
  events: history.only("CommitAuthored"),
  seed,
  step: (commits, { data: { author } }) => ({ ...commits, [author]: (commits[author] ?? 0) + 1 })
})
