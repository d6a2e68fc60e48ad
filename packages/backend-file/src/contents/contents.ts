/** What a store holds, apart from the payloads: told by the records of the log, and kept in the index. */
import { type Chunk, kind, kindAt } from "../log/item.ts"
import { identifiedAt, keyNameAt, positionAt, seqAt, streamAt, truncationAt } from "../log/read-record.ts"
import type { TreeReads } from "../tree/tree.ts"
import { Commits } from "./commits.ts"
import { Keys } from "./keys.ts"
import { Streams } from "./streams.ts"
import { Undo } from "./undo.ts"

/** Streams, keys and commits over one index. */
export class Contents {
  readonly undo = new Undo()
  readonly streams: Streams
  readonly keys: Keys
  readonly commits: Commits

  constructor(index: TreeReads) {
    this.streams = new Streams(index, this.undo)
    this.keys = new Keys(index, this.undo)
    this.commits = new Commits(index, this.undo)
  }

  /** Notes what a record of the log tells. */
  restore(chunk: Chunk, at: number): void {
    switch (kindAt(chunk, at)) {
      case kind.event:
        return this.streams.restore(streamAt(chunk, at), seqAt(chunk, at), positionAt(chunk, at))
      case kind.put:
        return this.restoreKey(chunk, at, "put")
      case kind.tombstone:
        return this.restoreKey(chunk, at, "tombstone")
      case kind.truncation: {
        const { first, last, stream } = truncationAt(chunk, at)
        return this.streams.shorten(stream, first, last)
      }
      case kind.identified: {
        const { digest, id, result } = identifiedAt(chunk, at)
        return this.commits.record(id, digest, result)
      }
    }
  }

  private restoreKey(chunk: Chunk, at: number, of: "put" | "tombstone"): void {
    const { key, namespace } = keyNameAt(chunk, at, of)
    this.keys.write(namespace, key, { revision: positionAt(chunk, at), lives: of === "put" })
  }
}
