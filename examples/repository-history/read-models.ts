/** The same answers as read models: in the kv, one key each, kept up with the log as it grows. */
import { ReadModel, Schema } from "persist"
import { none } from "./churn.ts"
import { directoryOf, history } from "./events.ts"

/** Commits by author. */
export const commitsByAuthor = ReadModel.make({
  name: "commits-by-author",
  version: 1,
  events: history.only("CommitAuthored"),
  keys: ({ data }) => data.author,
  value: Schema.Int,
  seed: 0,
  step: (commits) => commits + 1
})

/** Changes by directory. */
export const churnByDirectory = ReadModel.make({
  name: "churn-by-directory",
  version: 1,
  events: history.only("FileChanged"),
  prefix: "file/",
  keys: ({ stream }) => directoryOf(stream),
  value: Schema.Struct({ changes: Schema.Int, added: Schema.Int, deleted: Schema.Int }),
  seed: none,
  step: ({ added, changes, deleted }, { data }) => ({
    changes: changes + 1,
    added: added + data.added,
    deleted: deleted + data.deleted
  })
})

/** Events by stream. */
export const eventsByStream = ReadModel.make({
  name: "events-by-stream",
  version: 1,
  events: history,
  keys: ({ stream }) => stream,
  value: Schema.Int,
  seed: 0,
  step: (events) => events + 1
})
