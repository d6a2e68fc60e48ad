/** What every kept store holds, as commits; none may be changed, since the stores were written with them. */
import { append, commit, put } from "@persist/conformance/given"
import { type Batch, history } from "../history.ts"

const overwrites = Array.from({ length: 12 }, (_, n): Batch => [
  commit({ write: [put("k", `${n}`.repeat(40)), put(`${n % 3}`, `${n}`)], append: [append("later", `${n}`)] })
])

/** In sessions, each of which opened the store and closed it. */
export const sampleSessions: ReadonlyArray<ReadonlyArray<Batch>> = [
  history,
  overwrites,
  [[commit({ append: [append("last", "1")], write: [put("last", "1")] })]]
]
