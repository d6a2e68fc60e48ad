/** Reading events: each page is one statement, and the rows it gives become the events themselves. */
import type { AllRange, BackendShape, Page, Payload, StoredEvent, StreamInfo } from "@persist/core"
import { compareUtf8, Corrupt, Position, Seq, successor } from "@persist/core"
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

type Bounds = ReturnType<typeof queries.prefixBounds>

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
  const { db, streams } = tables
  const head = db.prepare<[], number>(queries.head).pluck()
  const streamPages = both((reverse) => db.prepare<[number, number, number, number], Row>(queries.streamPage(reverse)))
  const streamsPage = db.prepare<[...Bounds, number], InfoRow>(queries.streamsPage)
  const shortenedPage = db.prepare<[...Bounds, number], InfoRow>(queries.shortenedPage)
  const hasShortenedIndex = db.prepare(queries.hasShortenedIndex)
  const readAllPage = makeAllPage(tables)
  const readHead = (): Position => Position(head.get() ?? 0)

  return {
    head: attempt(db, "head", readHead),
    readStream: ({ from, limit, reverse, stream, to }) =>
      attempt(db, "readStream", () => {
        const id = streams.idOf(stream)
        if (id === undefined) return []
        return events(tables, streamPages(reverse).all(id, from, to, limit), stream)
      }),
    readAll: (range) =>
      attempt(db, "readAll", (): Page<StoredEvent> => {
        const end = Position(Math.min(range.to, readHead()))
        const items = events(tables, readAllPage({ ...range, to: end }))
        const last = items.length < range.limit ? undefined : items.at(-1)
        return { items, through: last?.position ?? end }
      }),
    streams: ({ after, limit, prefix, shortened }) =>
      attempt(db, "streams", () => {
        const [start, end] = queries.prefixBounds(prefix)
        const first = after !== undefined && compareUtf8(after, start) >= 0 ? successor(after) : start
        // Without the index, which a file that is only read may lack, it would look at all streams in one go.
        const page = shortened && hasShortenedIndex.get() !== undefined ? shortenedPage : streamsPage
        return page.all(first, end, limit).map(streamInfo)
      })
  }
}

const streamInfo = ({ first, last, stream }: InfoRow): StreamInfo => ({
  stream,
  first: Seq(first),
  last: Seq(Math.max(first - 1, last ?? 0))
})

// More matching streams than this are not looked at one by one.
const fewStreams = 16

const makeAllPage = ({ db, types }: Tables): (range: AllRange) => Array<Row> => {
  const streamSizes = db.prepare<[...Bounds, number], { readonly id: number; readonly events: number }>(
    queries.streamSizes
  )
  const pages = new Map<string, Database.Statement<Array<number | string | Uint8Array>, Row>>()
  const page = (shape: queries.AllShape) => {
    const key = `${shape.by} ${shape.types} ${shape.reverse}`
    const known = pages.get(key)
    if (known !== undefined) return known
    const made = db.prepare<Array<number | string | Uint8Array>, Row>(queries.allPage(shape))
    pages.set(key, made)
    return made
  }

  // The ids of the streams to go through one by one: where they are few and hold far less than the range. Their events
  // must be sorted, so they may hold no more than a few pages; passing the range instead needs no sorting.
  const oneByOne = (bounds: Bounds, { after, limit, to }: AllRange): ReadonlyArray<number> | undefined => {
    const found = streamSizes.all(...bounds, fewStreams + 1)
    if (found.length > fewStreams) return undefined
    const size = found.reduce((sum, { events }) => sum + events, 0)
    return size <= 4 * limit && size * 4 <= to - after ? found.map(({ id }) => id) : undefined
  }

  return (range) => {
    const { after, limit, prefix, reverse, to, types: names } = range
    const typeIds = names?.map((name) => types.idOf(name)).filter((id) => id !== undefined)
    // Types that were never used match nothing.
    if (typeIds?.length === 0) return []
    const bounds = prefix === "" ? undefined : queries.prefixBounds(prefix)
    const streamIds = bounds && oneByOne(bounds, range)
    if (streamIds?.length === 0) return []
    const by = bounds === undefined ? "range" : streamIds === undefined ? "prefix" : "streams"
    return page({ by, types: typeIds !== undefined, reverse }).all(
      ...(streamIds !== undefined ? [JSON.stringify(streamIds)] : bounds ?? []),
      after,
      to,
      ...(typeIds === undefined ? [] : [JSON.stringify(typeIds)]),
      limit
    )
  }
}

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
