/** What a store holds, apart from the payloads: told by the records of the log, and kept in the index. */
import { type Chunk, kind, kindAt } from "../log/item.ts"
import { identifiedAt, keyNameAt, positionAt, seqAt, streamAt, truncationAt } from "../log/read-record.ts"
import type { TreeReads } from "../tree/tree.ts"
import { Commits } from "./commits.ts"
import { Keys } from "./keys.ts"
import { Streams } from "./streams.ts"
import { Undo } from "./undo.ts"

// So many more wait than may before any of them is told: they are taken off the beginning of an array all at once.
const stroke = 1024

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

  /**
   * Tells the index everything it doesn't tell of yet, but for some of the streams and keys, about `most` of each.
   * Never within a batch. Where the index can't be read for that, it throws, and what wasn't told waits for the next
   * time.
   */
  flush(most = 0): void {
    for (const some of [this.streams, this.keys]) {
      if (most === 0 || some.waits >= most + stroke) some.flush(most)
    }
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
