/** Commits remembered by id: what a repeated commit and `resolve` are answered from. */
import type { Appended, Recorded } from "@persist/core"
import { Position, Seq } from "@persist/core"
import { numbersOf, texts } from "./arrays.ts"
import type { Row } from "./asking.ts"
import type { Session } from "./link.ts"
import type { Queries } from "./queries.ts"
import { fromStored } from "./text.ts"

/** Looks up the commits that are recorded under these ids. */
export const readRecorded = async (
  session: Session,
  { recorded }: Queries,
  ids: ReadonlyArray<string>
): Promise<Map<string, Recorded>> => {
  const rows = await session.run(recorded, [texts(ids)])
  const commits = new Map<string, Recorded>()
  for (const [id, own] of Map.groupBy(rows, ([first]) => fromStored(first ?? ""))) {
    const [row] = own
    if (row !== undefined) commits.set(id, recordedOf(row, own))
  }
  return commits
}

const recordedOf = ([, digest, start, position, revisions]: Row, rows: ReadonlyArray<Row>): Recorded => {
  const head = Number(start)
  const appended: Array<Appended> = []
  let placed = head
  for (const [, , , , , stream, first, events] of rows) {
    if (stream === undefined || stream === null) continue
    const count = Number(events)
    appended.push({
      stream: fromStored(stream),
      first: Seq(Number(first)),
      last: Seq(Number(first) + count - 1),
      firstPosition: Position(placed + 1),
      lastPosition: Position(placed + count)
    })
    placed += count
  }
  return {
    digest: fromStored(digest ?? ""),
    committed: {
      _tag: "Committed",
      position: Position(Number(position)),
      appended,
      revisions: numbersOf(revisions ?? "{}").map((above) => Position(head + above)),
      repeated: false
    }
  }
}
