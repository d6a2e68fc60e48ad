/** Reading events: the index says at which positions they are, the log what is there. */
import type { AllRange, Page, StoredEvent, StreamInfo, StreamRange, StreamsRange } from "@persist/core"
import { Position, unbounded } from "@persist/core"
import type { Contents } from "./contents/contents.ts"
import { type Chunk, kind, kindAt, lengthAt } from "./log/item.ts"
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

// Records passed over in one turn, and their bytes, and so how long it may hold up everybody else, whatever it finds.
const mostPassed = 20_000
const mostBytes = 16 * 1024 * 1024

/** What one turn of a read found. */
export interface Turn extends Page<StoredEvent> {
  /** In reverse the last position that it hasn't looked at yet; `undefined` where the page is all there is. */
  readonly rest: Position | undefined
}

/**
 * Events of all streams. A page that finds little looks only so far and says how far: forwards by `through`, in reverse
 * by `rest`. In reverse, `through` of a full page is its last item's position: continue with `to` below it.
 */
export const readAll = (readable: Readable, asked: AllRange): Turn => {
  const range = { ...asked, to: Position(Math.min(asked.to, readable.head)) }
  const few = range.prefix === "" ? undefined : fewStreams(readable, range)
  if (few !== undefined) return { ...oneByOne(readable, range, few), rest: undefined }
  const matches = matcher(readable, range)
  return range.reverse
    ? backwards(readable, range, matches)
    : { ...forwards(readable, range, matches), rest: undefined }
}

// More matching streams than this are not looked at one by one.
const mostStreams = 16

// The streams to go through one by one: where they are few and hold far less than the range, and little more than a
// page, since all their positions must be sorted for each.
const fewStreams = (
  { contents: { streams } }: Readable,
  { after, limit, prefix, to }: AllRange
): ReadonlyArray<StreamInfo> | undefined => {
  const found = streams.list({ prefix, after: undefined, limit: mostStreams + 1 })
  if (found.length > mostStreams) return undefined
  const events = found.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  return events <= 4 * limit && events * 4 <= to - after ? found : undefined
}

const oneByOne = (
  { contents: { streams }, log }: Readable,
  { after, limit, reverse, to, types }: AllRange,
  few: ReadonlyArray<StreamInfo>
): Page<StoredEvent> => {
  const wanted = types === undefined ? undefined : new Set(types)
  const positions = few.flatMap(({ first, last, stream }) =>
    streams.positions({ stream, from: first, to: last, limit: unbounded, reverse: false })
  ).filter((position) => position > after && position <= to).sort((a, b) => reverse ? b - a : a - b)
  const items: Array<StoredEvent> = []
  for (const position of positions) {
    const event = log.record(
      position,
      (chunk, at) => wanted === undefined || wanted.has(typeAt(chunk, at)) ? eventAt(chunk, at) : undefined
    )
    if (event !== undefined) items.push(event)
    if (items.length === limit) return { items, through: Position(position) }
  }
  return { items, through: to }
}

const forwards = ({ log }: Readable, { after, limit, to }: AllRange, matches: Matches): Page<StoredEvent> => {
  const items: Array<StoredEvent> = []
  let passed = 0
  let bytes = 0
  let through = to
  log.walk(after, to, (chunk, at) => {
    if (matches(chunk, at)) items.push(eventAt(chunk, at))
    bytes += lengthAt(chunk, at)
    if (items.length < limit && ++passed < mostPassed && bytes < mostBytes) return true
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
const backwards = ({ log }: Readable, { after, limit, to }: AllRange, matches: Matches): Turn => {
  const items: Array<StoredEvent> = []
  let size = smallestBlock
  let high: number = to
  let passed = 0
  let bytes = 0
  while (high > after && items.length < limit) {
    const low = Math.max(after, high - size)
    const block: Array<StoredEvent> = []
    log.walk(low, high, (chunk, at) => {
      if (matches(chunk, at)) block.push(eventAt(chunk, at))
      passed++
      bytes += lengthAt(chunk, at)
      return true
    })
    items.push(...block.reverse().slice(0, limit - items.length))
    high = low
    size = Math.min(size * 2, largestBlock)
    if (passed >= mostPassed || bytes >= mostBytes) break
  }
  const last = items.length < limit ? undefined : items.at(-1)
  const rest = last === undefined && high > after ? Position(high) : undefined
  return { items, through: last?.position ?? to, rest }
}

const smallestBlock = 64
const largestBlock = 4096
