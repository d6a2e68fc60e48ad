/** The events of a repository's history: who committed, and what each commit did to each file. */
import * as Schema from "effect/Schema"
import { Catalogue } from "persist"

const byWhom = { commit: Schema.String, author: Schema.String }

/** Commits are in the stream `repo`; what happened to a file is in a stream of its own, `file/src/main.zig`. */
export const history = Catalogue.make({
  CommitAuthored: Schema.Struct({ ...byWhom, parents: Schema.Array(Schema.String) }),
  FileChanged: Schema.Struct({ ...byWhom, added: Schema.Int, deleted: Schema.Int }),
  BinaryChanged: Schema.Struct(byWhom)
})

/** The directory at the top of a file's path, by the file's stream; `.` for files at the root. */
export const directoryOf = (stream: string): string => {
  const [, top = "", ...below] = stream.split("/")
  return below.length === 0 ? "." : top
}
