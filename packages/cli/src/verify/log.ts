/** Verifies the log: in the total order, stream by stream, and that the two say the same. */
import {
  nameFault,
  origin,
  type Position,
  Seq,
  type StoredEvent,
  type StoreError,
  type StoreShape
} from "@persist/core"
import { unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { crc32 } from "node:zlib"
import type { Progress } from "../progress.ts"
import type { Findings } from "./finding.ts"
import { payloadFault } from "./payload.ts"

/** A stream as one way of reading shows it. */
interface Seen {
  first: number
  last: number
  count: number
  /** Of everything in its events, in their order. */
  checksum: number
}

const pageSize = 1000

/** Reads every event up to the head, twice; what doesn't fit goes to the findings. */
export const verifyLog = Effect.fnUntraced(function*(
  store: StoreShape,
  head: Position,
  findings: Findings,
  progress: Progress
): Effect.fn.Return<void, StoreError> {
  const { backend, reading } = store.engine
  const streams = new Map<string, Seen>()
  let after: Position = origin
  while (after < head) {
    const range = { after, to: head, prefix: "", types: undefined, limit: pageSize, reverse: false }
    const { items, through } = yield* reading(undefined, backend.readAll(range))
    let last: number = after
    for (const event of items) {
      if (event.position <= last) findings.add(`position ${event.position}`, `it comes after position ${last}`)
      last = event.position
      verifyEvent(store, event, findings)
      note(streams, event, findings)
    }
    findings.counts.events += items.length
    if (items.length === 0 && through <= after) break
    after = items.length < pageSize && through > last ? through : items.at(-1)?.position ?? through
    progress.update({ amount: after, things: findings.counts.events })
  }
  yield* verifyStreams(store, head, streams, findings, progress)
})

const verifyEvent = (store: StoreShape, event: StoredEvent, findings: Findings): void => {
  const where = `event ${event.seq} of stream ${JSON.stringify(event.stream)} (position ${event.position})`
  const { nameBytes } = store.about.limits
  const fault = nameFault("stream", event.stream, nameBytes) ?? nameFault("type", event.type, nameBytes)
  if (fault !== undefined) findings.add(where, fault.message)
  if (!Number.isSafeInteger(event.at)) findings.add(where, "its time is no whole number of milliseconds")
  const payload = payloadFault("data", event.data) ?? payloadFault("meta", event.meta)
  if (payload !== undefined) findings.add(where, payload)
}

const note = (streams: Map<string, Seen>, event: StoredEvent, findings: Findings): void => {
  const seen = streams.get(event.stream)
  if (seen === undefined) {
    streams.set(event.stream, { first: event.seq, last: event.seq, count: 1, checksum: checksum(event, 0) })
    return
  }
  if (event.seq !== seen.last + 1) {
    findings.add(`stream ${JSON.stringify(event.stream)}`, `seq ${event.seq} follows seq ${seen.last}`)
  }
  seen.last = event.seq
  seen.count++
  seen.checksum = checksum(event, seen.checksum)
}

const checksum = ({ at, data, id, meta, position, seq, type }: StoredEvent, before: number): number =>
  crc32(data, crc32(JSON.stringify([seq, position, type, at, meta, id, typeof data]), before))

const verifyStreams = Effect.fnUntraced(function*(
  store: StoreShape,
  head: Position,
  streams: ReadonlyMap<string, Seen>,
  findings: Findings,
  progress: Progress
): Effect.fn.Return<void, StoreError> {
  const { backend, reading } = store.engine
  const listed = new Set<string>()
  let after: string | undefined
  let events = 0
  while (true) {
    const infos = yield* reading(undefined, backend.streams({ prefix: "", after, limit: pageSize }))
    for (const { first, last, stream } of infos) {
      listed.add(stream)
      const where = `stream ${JSON.stringify(stream)}`
      if (first > last + 1) findings.add(where, `its first seq is ${first}, its last ${last}`)
      const [inAll, alone] = [streams.get(stream), yield* readAlone(store, stream, head)]
      events += alone?.count ?? 0
      progress.update({ amount: head, things: findings.counts.events + events })
      if (alone !== undefined && alone.first !== first) {
        findings.add(where, `it begins at seq ${alone.first}, not ${first}`)
      }
      if (inAll?.checksum !== alone?.checksum || inAll?.count !== alone?.count) {
        findings.add(where, `by itself it has ${described(alone)}, among all streams ${described(inAll)}`)
      }
    }
    if (infos.length < pageSize) break
    after = infos.at(-1)?.stream
  }
  findings.counts.streams = listed.size
  for (const stream of streams.keys()) {
    if (!listed.has(stream)) findings.add(`stream ${JSON.stringify(stream)}`, "it has events and isn't listed")
  }
})

const described = (seen: Seen | undefined): string =>
  seen === undefined ? "no events" : `${seen.count} events, seqs ${seen.first} to ${seen.last}`

const readAlone = Effect.fnUntraced(function*(
  { engine: { backend, reading } }: StoreShape,
  stream: string,
  head: Position
): Effect.fn.Return<Seen | undefined, StoreError> {
  let seen: Seen | undefined
  let from = Seq(1)
  while (true) {
    const range = { stream, from, to: Seq(unbounded), limit: pageSize, reverse: false }
    const events = yield* reading(undefined, backend.readStream(range))
    for (const event of events) {
      // What was appended since the verification began isn't part of it.
      if (event.position > head) return seen
      seen ??= { first: event.seq, last: event.seq, count: 0, checksum: 0 }
      seen.last = event.seq
      seen.count++
      seen.checksum = checksum(event, seen.checksum)
    }
    if (events.length < pageSize) return seen
    from = Seq((events.at(-1)?.seq ?? from) + 1)
  }
})
