/** Reading events: the index says at which positions they are, the log what is there. */
import type { AllRange, Page, StoredEvent, StreamInfo, StreamRange, StreamsRange } from "@persist/core"
import { Position } from "@persist/core"
import type { Contents } from "./contents/contents.ts"
import { type Chunk, kind, kindAt } from "./log/item.ts"
import type { Log } from "./log/log.ts"
import { eventAt, positionAt, seqAt, streamAt, streamBytesAt, typeAt } from "./log/read-record.ts"

/** What reading needs of a handle. */
export interface Readable {
  readonly log: Log
  readonly contents: Contents
  /** The last position that may be read. */
  readonly head: Position
}

/** Events of one stream. */
export const readStream = ({ contents, log }: Readable, range: StreamRange): ReadonlyArray<StoredEvent> => {
  const events: Array<StoredEvent> = []
  for (const position of contents.streams.positions(range)) {
    const event = log.record(position, (chunk, at) => eventAt(chunk, at, range.stream))
    if (event !== undefined) events.push(event)
  }
  return events
}

/** Streams by name. */
export const listStreams = ({ contents }: Readable, range: StreamsRange): ReadonlyArray<StreamInfo> =>
  contents.streams.list(range)

// Records passed over by one page, and so how long it may hold up everybody else, whatever it finds.
const mostPassed = 20_000

/**
 * Events of all streams. A page that finds little looks only so far and says how far. In reverse, `through` of a full
 * page is its last item's position: continue with `to` below it.
 */
export const readAll = (readable: Readable, range: AllRange): Page<StoredEvent> => {
  const end = Position(Math.min(range.to, readable.head))
  const matches = matcher(readable, range)
  if (range.reverse) return backwards(readable, { ...range, to: end }, matches)
  const items: Array<StoredEvent> = []
  let passed = 0
  let through: Position = end
  readable.log.walk(range.after, end, (chunk, at) => {
    if (matches(chunk, at)) items.push(eventAt(chunk, at))
    if (items.length < range.limit && ++passed < mostPassed) return true
    through = positionAt(chunk, at)
    return false
  })
  return { items, through }
}

type Matches = (chunk: Chunk, at: number) => boolean

const matcher = ({ contents: { streams } }: Readable, { prefix, types }: AllRange): Matches => {
  const start = Buffer.from(prefix)
  const wanted = types === undefined ? undefined : new Set(types)
  const { anyShortened } = streams
  return (chunk, at) =>
    kindAt(chunk, at) === kind.event &&
    (start.length === 0 || startsWith(streamBytesAt(chunk, at), start)) &&
    (wanted === undefined || wanted.has(typeAt(chunk, at))) &&
    (!anyShortened || seqAt(chunk, at) >= streams.firstSeq(streamAt(chunk, at)))
}

const startsWith = (bytes: Buffer, start: Buffer): boolean =>
  bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0

// The log is read forwards, so this goes back by blocks, larger and larger ones where little is found.
const backwards = ({ log }: Readable, { after, limit, to }: AllRange, matches: Matches): Page<StoredEvent> => {
  const items: Array<StoredEvent> = []
  let size = smallestBlock
  for (let high: number = to; high > after && items.length < limit; size = Math.min(size * 2, largestBlock)) {
    const low = Math.max(after, high - size)
    const block: Array<StoredEvent> = []
    log.walk(low, high, (chunk, at) => {
      if (matches(chunk, at)) block.push(eventAt(chunk, at))
      return true
    })
    items.push(...block.reverse().slice(0, limit - items.length))
    high = low
  }
  const last = items.length < limit ? undefined : items.at(-1)
  return { items, through: last?.position ?? to }
}

const smallestBlock = 64
const largestBlock = 4096
