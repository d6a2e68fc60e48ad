/** The rules by which a backend decides on a commit and numbers what it writes, so that each need not restate them. */
import type { Appended, Commit, Committed, Conflict, Expectation, Identity, Refused } from "./commit.ts"
import { Invalid } from "./error.ts"
import { Position, Seq } from "./sequence.ts"

/** What a decision depends on: the store as the commits before this one left it. */
export interface Standing {
  /** The stream's last seq; 0 where nothing was ever appended. */
  readonly lastSeq: (stream: string) => Seq
  /** The key's revision; 0 where it is absent. */
  readonly revision: (namespace: string, key: string) => Position
  /** The commit already recorded under this id. */
  readonly recorded: (id: string) => Recorded | undefined
}

/** A commit that happened under an id: kept as long as the store. */
export interface Recorded {
  readonly digest: string
  readonly committed: Committed
}

/** Decides on a commit: `undefined` lets it happen, anything else is its outcome. */
export const judge = (commit: Commit, standing: Standing): Committed | Conflict | Refused | undefined => {
  if (commit.identity !== undefined) {
    const before = standing.recorded(commit.identity.id)
    if (before !== undefined) return repeat(commit.identity, before)
  }
  for (const expectation of commit.expect) {
    const actual = expectation._tag === "Stream"
      ? standing.lastSeq(expectation.stream)
      : standing.revision(expectation.namespace, expectation.key)
    if (!holds(expectation, actual)) return { _tag: "Conflict", expectation, actual }
  }
  return undefined
}

const repeat = (identity: Identity, before: Recorded): Committed | Refused =>
  before.digest === identity.digest
    ? { ...before.committed, repeated: true }
    : {
      _tag: "Refused",
      error: new Invalid({
        field: "id",
        reason: `the commit id ${JSON.stringify(identity.id)} was used before with other content`,
        remedy: "use a new id for a new commit"
      })
    }

const holds = (expectation: Expectation, actual: number): boolean => {
  if (expectation.expected === "exists") return actual !== 0
  if (expectation.expected === "absent") return actual === 0
  return expectation.expected === actual
}

// Most commits append or write, and don't do both.
const none: ReadonlyArray<never> = []

/**
 * Numbers a commit that is let happen: from `head + 1`, one position for each event, then each write, then each
 * truncation; a `Clear` takes one for each key it removes, of which `liveKeys` tells the number.
 */
export const place = (
  commit: Commit,
  head: Position,
  lastSeq: (stream: string) => Seq,
  liveKeys: (namespace: string) => number
): Committed => {
  let position: number = head
  const appended = commit.append.length === 0 ? none : commit.append.map(({ events, stream }): Appended => {
    const before = lastSeq(stream)
    const first = position + 1
    position += events.length
    return {
      stream,
      first: Seq(before + 1),
      last: Seq(before + events.length),
      firstPosition: Position(first),
      lastPosition: Position(position)
    }
  })
  const revisions = commit.write.length === 0 ? none : commit.write.map((write) => {
    position += write._tag === "Clear" ? liveKeys(write.namespace) : 1
    return Position(position)
  })
  position += commit.truncate.length
  return { _tag: "Committed", position: Position(position), appended, revisions, repeated: false }
}
