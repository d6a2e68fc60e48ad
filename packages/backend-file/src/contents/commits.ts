/** Commits remembered by their ids: what a repeated commit and `resolve` are answered from. */
import type { Committed, Recorded } from "@persist/core"
import { Corrupt, Position, Seq } from "@persist/core"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Key, keyOf } from "../key.ts"
import type { TreeReads } from "../tree/tree.ts"
import type { Undo } from "./undo.ts"

const Counter = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

// What came of a commit: its position, its appends, its revisions.
const Stored = Schema.fromJsonString(Schema.Tuple([
  Counter,
  Schema.Array(Schema.Tuple([Schema.String, Counter, Counter, Counter])),
  Schema.Array(Counter)
]))
const decode = Schema.decodeUnknownResult(Stored)

/** What came of a commit, as text. */
export const resultText = ({ appended, position, revisions }: Committed): string =>
  JSON.stringify([
    position,
    appended.map(({ first, firstPosition, last, stream }) => [stream, first, last, firstPosition]),
    revisions
  ])

const resultOf = (id: string, text: string): Committed => {
  const result = decode(text)
  if (Result.isFailure(result)) {
    throw new Corrupt({
      where: `commit ${JSON.stringify(id)}`,
      reason: "what is recorded of it can't be read",
      remedy: "restore the store from a backup",
      cause: result.failure
    })
  }
  const [position, appended, revisions] = result.success
  return {
    _tag: "Committed",
    position: Position(position),
    appended: appended.map(([stream, first, last, firstPosition]) => ({
      stream,
      first: Seq(first),
      last: Seq(last),
      firstPosition: Position(firstPosition),
      lastPosition: Position(firstPosition + last - first)
    })),
    revisions: revisions.map(Position),
    repeated: false
  }
}

const commitKey = (id: string): Key => keyOf("C", id)

/** The commits that had ids: all of them in the index, which every one is told at once. */
export class Commits {
  private readonly index: TreeReads
  private readonly undo: Undo

  constructor(index: TreeReads, undo: Undo) {
    this.index = index
    this.undo = undo
  }

  /** What happened under an id; `undefined` where nothing did. */
  readonly recorded = (id: string): Recorded | undefined => {
    const value = this.index.get(commitKey(id))
    if (value === undefined) return undefined
    // A digest and a text of JSON, which begins at the first line.
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
    const end = text.lastIndexOf("\n")
    return { digest: text.slice(0, end), committed: resultOf(id, text.slice(end + 1)) }
  }

  /** Notes what happened under an id. */
  record(id: string, digest: string, result: string): void {
    const key = commitKey(id)
    this.undo.add(() => this.index.delete(key))
    this.index.put(key, Buffer.from(`${digest}\n${result}`))
  }
}
