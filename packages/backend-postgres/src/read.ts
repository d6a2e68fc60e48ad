/** Reading events: each page is one statement, and so one moment of the store. */
import type { AllRange, BackendShape, Page, Payload, StoredEvent, StreamInfo } from "@persist/core"
import { compareUtf8, Corrupt, Position, prefixEnd, Seq } from "@persist/core"
import { int8s, texts } from "./arrays.ts"
import type { Row } from "./asking.ts"
import type { Identity } from "./handle.ts"
import type { Session } from "./link.ts"
import type { NameTable } from "./names.ts"
import type { AllShape, Queries } from "./queries.ts"
import { fromStored, toStored } from "./text.ts"

/** What reading needs of a handle. */
export interface Reading {
  readonly queries: Queries
  readonly identity: Pick<Identity, "floor" | "see">
  /** Does what a verb asks for in a session; twice, in another one, where the first is lost. */
  readonly ask: <A>(operation: string, job: (session: Session) => Promise<A>) => Promise<A>
}

/** The verbs that read the log, as promises. */
export interface LogReads {
  readonly readStream: (...range: Parameters<BackendShape["readStream"]>) => Promise<ReadonlyArray<StoredEvent>>
  readonly readAll: (...range: Parameters<BackendShape["readAll"]>) => Promise<Page<StoredEvent>>
  readonly streams: (...range: Parameters<BackendShape["streams"]>) => Promise<ReadonlyArray<StreamInfo>>
  readonly head: () => Promise<Position>
}

// More matching streams than this are not looked at one by one.
const fewStreams = 16

// A filtered page looks at no more positions than this, so that no statement runs for long.
const furthest = 500_000

/**
 * The verbs that read the log. A page of `readAll` and its head are of one moment, so nothing is missing below it. In
 * reverse, `through` of a full page is its last item's position: continue with `to` below it.
 */
export const makeLogReads = (reading: Reading): LogReads => {
  const { ask, identity, queries } = reading
  return {
    head: () =>
      ask("head", async (session) => {
        const { floor } = identity
        const [row] = await session.run(queries.head, [])
        return identity.see(Number(row?.[0]), floor)
      }),
    readStream: ({ from, limit, reverse, stream, to }) =>
      ask("readStream", async (session) => {
        const statement = queries.streamPage({ byId: session.names !== undefined, reverse })
        const rows = await session.run(statement, [toStored(stream), from, to, limit])
        const types = await namesIn(session, queries, "type", rows, 2)
        return rows.map((row, n) => eventOf(row, 0, stream, types[n]))
      }),
    readAll: (range) =>
      ask("readAll", async (session) => {
        const { by, ids, known } = range.prefix === "" ? everything : await choose(session, reading, range)
        const filtered = by !== "range" || range.types !== undefined
        const to = Math.min(range.to, known, filtered && !range.reverse ? range.after + furthest : Infinity)
        const { floor } = identity
        const rows = await session.run(
          queries.allPage({
            by,
            types: range.types !== undefined,
            reverse: range.reverse,
            byId: session.names !== undefined
          }),
          valuesOf(range, to, by, ids)
        )
        const head = identity.see(Number(rows[0]?.[0]), floor)
        const found = rows[0]?.[1] === null ? [] : rows
        const types = await namesIn(session, queries, "type", found, 3)
        const streams = await namesIn(session, queries, "stream", found, 9)
        const items = found.map((row, n) => eventOf(row, 1, streams[n], types[n]))
        const last = items.at(-1)
        const full = items.length >= range.limit || (!range.reverse && Number(found.at(-1)?.[10]) >= queries.pageBytes)
        return { items, through: full && last !== undefined ? last.position : Position(Math.min(to, head)) }
      }),
    streams: ({ after, limit, prefix, shortened = false }) => {
      const end = prefix === "" ? undefined : prefixEnd(prefix)
      const first = after !== undefined && compareUtf8(after, prefix) >= 0 ? justAbove(after) : prefix
      return ask("streams", async (session) => {
        const rows = await session.run(queries.streamsPage({ bounded: end !== undefined, shortened }), [
          toStored(first),
          limit,
          ...(end === undefined ? [] : [toStored(end)])
        ])
        return rows.map(([stream, from, last]) => ({
          stream: fromStored(stream ?? ""),
          first: Seq(Number(from)),
          last: Seq(Number(last))
        }))
      })
    }
  }
}

// The names in a column of rows, which holds ids where the session remembers names.
const namesIn = async (
  session: Session,
  { names }: Queries,
  table: NameTable,
  rows: ReadonlyArray<Row>,
  column: number
): Promise<ReadonlyArray<string>> =>
  session.names === undefined
    ? rows.map((row) => fromStored(row[column] ?? ""))
    : session.names.of(table, rows.map((row) => Number(row[column])), (ids) => session.run(names(table), [ids]))

/** The smallest name above another by UTF-8 bytes; for `undefined` the smallest of all. */
export const justAbove = (name: string | undefined): string => name === undefined ? "" : `${name}\0`

interface Way {
  readonly by: AllShape["by"]
  readonly ids: ReadonlyArray<number>
  /** How far the way is known to be right. */
  readonly known: number
}

const everything: Way = { by: "range", ids: [], known: Infinity }

// A few streams that hold far less than the range are gone through one by one. Their events must be sorted, so they
// may hold no more than a few pages; passing the range instead needs no sorting. A stream that is made meanwhile lies
// beyond the head that was read with their sizes.
const choose = async (
  session: Session,
  { identity, queries }: Reading,
  { after, limit, prefix, to }: AllRange
): Promise<Way> => {
  const passing: Way = { by: "prefix", ids: [], known: Infinity }
  const end = prefixEnd(prefix)
  if (end === undefined) return passing
  const { floor } = identity
  const rows = await session.run(queries.streamSizes, [toStored(prefix), toStored(end), fewStreams + 1])
  const known = identity.see(Number(rows[0]?.[0]), floor)
  const found = rows.filter(([, id]) => id !== null)
  const size = found.reduce((sum, [, , events]) => sum + Number(events), 0)
  return found.length <= fewStreams && size <= 4 * limit && size * 4 <= Math.min(to, known) - after
    ? { by: "streams", ids: found.map(([, id]) => Number(id)), known }
    : passing
}

const valuesOf = ({ after, limit, prefix, types }: AllRange, to: number, by: AllShape["by"], ids: Way["ids"]) => [
  after,
  to,
  limit,
  ...(types === undefined ? [] : [texts(types)]),
  ...(by === "prefix" ? [toStored(prefix)] : by === "streams" ? [int8s(ids)] : [])
]

// What begins as a copy is made young: packages/core/src/kind.ts says why.
const blank = { stream: "", seq: 0, position: 0, type: "", at: 0, data: "", meta: undefined, id: undefined }

const eventOf = (row: Row, from: number, stream = "", type = ""): StoredEvent => {
  const position = Number(row[from + 1])
  return {
    ...blank,
    stream,
    seq: Seq(Number(row[from])),
    position: Position(position),
    type,
    at: Number(row[from + 3]),
    data: payloadOf(row[from + 4], row[from + 5], () => `event at position ${position}`),
    meta: textOf(row[from + 6]),
    id: textOf(row[from + 7])
  }
}

/** A text that may be missing. */
export const textOf = (stored: string | null | undefined): string | undefined =>
  stored === null || stored === undefined ? undefined : fromStored(stored)

/** A payload from its two columns; throws `Corrupt` where neither has it. */
export const payloadOf = (
  text: string | null | undefined,
  base64: string | null | undefined,
  where: () => string
): Payload => {
  if (text !== null && text !== undefined) return fromStored(text)
  if (base64 !== null && base64 !== undefined) return new Uint8Array(Buffer.from(base64, "base64"))
  throw new Corrupt({ where: where(), reason: "the payload is missing", remedy: "restore a backup" })
}
