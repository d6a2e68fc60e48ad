/** Reading events: each page is one statement, and the rows it gives become the events themselves. */
import type { BackendShape, Page, Payload, StoredEvent, StreamInfo } from "@persist/core"
import { compareUtf8, Corrupt, Position, Seq } from "@persist/core"
import type Database from "better-sqlite3"
import { attempt } from "./error.ts"
import type { Names } from "./names.ts"
import * as queries from "./queries.ts"

/** What reading events needs of a handle. */
export interface Tables {
  readonly db: Database.Database
  readonly streams: Names
  readonly types: Names
}

/** The verbs that read the log. */
export type LogReads = Pick<BackendShape, "readStream" | "readAll" | "streams" | "head">

// A row as the driver gives it, and then, names for ids, as an event.
interface Row {
  stream: number | string
  readonly seq: number
  readonly position: number
  type: number | string
  readonly at: number
  data: unknown
  meta: string | null | undefined
  id: string | null | undefined
}

interface InfoRow {
  readonly stream: string
  readonly first: number
  readonly last: number | null
}

/**
 * The verbs that read the log. A page of `readAll` takes the head first and looks no further, so that what other
 * processes commit meanwhile lies above `through`. In reverse, `through` of a full page is its last item's position:
 * continue with `to` below it.
 */
export const makeLogReads = (tables: Tables): LogReads => {
  const { db, streams, types } = tables
  const head = db.prepare<[], number>(queries.head).pluck()
  const streamPages = both((reverse) => db.prepare<[number, number, number, number], Row>(queries.streamPage(reverse)))
  const streamsPage = db.prepare<[string, string | Uint8Array, number], InfoRow>(queries.streamsPage)
  const allPage = remembering((shape: queries.AllShape) =>
    db.prepare<Array<number | string | Uint8Array>, Row>(queries.allPage(shape))
  )
  const readHead = (): Position => Position(head.get() ?? 0)

  return {
    head: attempt(db, "head", readHead),
    readStream: ({ from, limit, reverse, stream, to }) =>
      attempt(db, "readStream", () => {
        const id = streams.idOf(stream)
        if (id === undefined) return []
        return events(tables, streamPages(reverse).all(id, from, to, limit), stream)
      }),
    readAll: ({ after, limit, prefix, reverse, to, types: names }) =>
      attempt(db, "readAll", (): Page<StoredEvent> => {
        const end = Math.min(to, readHead())
        const parameters: Array<number | string | Uint8Array> = [after, end]
        if (prefix !== "") parameters.push(...queries.prefixBounds(prefix))
        if (names !== undefined) parameters.push(idList(types, names))
        parameters.push(limit)
        const shape = { prefix: prefix !== "", types: names !== undefined, reverse }
        const items = events(tables, allPage(shape).all(...parameters))
        const last = items.length < limit ? undefined : items.at(-1)
        return { items, through: last?.position ?? Position(end) }
      }),
    streams: ({ after, limit, prefix }) =>
      attempt(db, "streams", () => {
        const [start, end] = queries.prefixBounds(prefix)
        const first = after !== undefined && compareUtf8(after, start) >= 0 ? queries.justAbove(after) : start
        return streamsPage.all(first, end, limit).map(streamInfo)
      })
  }
}

const streamInfo = ({ first, last, stream }: InfoRow): StreamInfo => ({
  stream,
  first: Seq(first),
  last: Seq(Math.max(first - 1, last ?? 0))
})

// Types that were never used have no id and match nothing.
const idList = (types: Names, names: ReadonlyArray<string>): string =>
  JSON.stringify(names.map((name) => types.idOf(name)).filter((id) => id !== undefined))

const events = ({ streams, types }: Tables, rows: Array<Row>, stream?: string): Array<StoredEvent> => {
  for (const row of rows) {
    row.stream = stream ?? streams.nameOf(Number(row.stream))
    row.type = types.nameOf(Number(row.type))
    if (row.meta === null) row.meta = undefined
    if (row.id === null) row.id = undefined
    if (typeof row.data !== "string") row.data = plainBytes(row.data, () => `event at position ${row.position}`)
  }
  // Every column now holds what the event's field of that name holds, and the rows belong to nobody else.
  return rows as ReadonlyArray<unknown> as Array<StoredEvent>
}

/** The bytes of a blob as a plain array of their own; throws `Corrupt` where a payload is neither text nor blob. */
export const plainBytes = (value: unknown, where: () => string): Payload => {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw new Corrupt({
    where: where(),
    reason: `the payload is ${value === null ? "missing" : `a ${typeof value}`}, neither text nor bytes`,
    remedy: "restore the file from a backup"
  })
}

/** Makes a thing for both directions at once. */
export const both = <A>(make: (reverse: boolean) => A): (reverse: boolean) => A => {
  const [forwards, backwards] = [make(false), make(true)]
  return (reverse) => reverse ? backwards : forwards
}

const remembering = <A>(make: (shape: queries.AllShape) => A): (shape: queries.AllShape) => A => {
  const made: Array<A | undefined> = []
  return (shape) => {
    const at = Number(shape.prefix) + 2 * Number(shape.types) + 4 * Number(shape.reverse)
    return made[at] ??= make(shape)
  }
}
