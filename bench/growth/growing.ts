/** A store that grows: what it's filled with, and where to find something in it. */
import { orderOf } from "../payload.ts"
import type { Place, Side } from "../sides/side.ts"

type Verb =
  | "append"
  | "cas"
  | "catchUp"
  | "close"
  | "contend"
  | "fold"
  | "follow"
  | "get"
  | "head"
  | "load"
  | "put"
  | "readAll"
  | "rebuild"
  | "saveSnapshot"
  | "scan"

/** The verbs that are followed: every store of ours has the first, those that outlast a process also the others. */
export type Verbs = Required<Pick<Side, Verb>> & Pick<Side, "bytes" | "recovered" | "reopened">

/** A store that grows, and what it has been given. */
export interface Growing {
  readonly url: string
  readonly place: Place
  /** Opens it once `side` is closed. */
  readonly open: () => Promise<Verbs>
  side: Verbs
  /** All events of its log. */
  events: number
  /** Its streams of twenty events by their numbers, and as many keys. Only those with odd numbers are appended to. */
  streams: number
  /** How long its long streams are, each of which has a snapshot at its end. */
  readonly long: Set<number>
}

/** The verbs of a side; throws where it lacks one that every store has. */
export const verbsOf = (side: Side): Verbs => {
  const { append, cas, catchUp, contend, fold, follow, get, head, load, put, readAll, rebuild, saveSnapshot, scan } =
    side
  if (!append || !catchUp || !contend || !fold || !follow || !head || !readAll || !rebuild) {
    throw new Error("the side lacks a verb of the log that is followed")
  }
  if (!load || !saveSnapshot) throw new Error("the side lacks snapshots, which are followed")
  if (!cas || !get || !put || !scan) throw new Error("the side lacks a verb of the kv that is followed")
  const log = { append, catchUp, contend, fold, follow, head, readAll, rebuild, load, saveSnapshot }
  return { ...side, ...log, cas, get, put, scan }
}

/** How many events a stream is filled with. */
export const eventsEach = 20

/** How long the long streams are; each is made once it's a tenth of the store. */
export const lengths = [1000, 10_000] as const

/** The stream of a number. */
export const streamOf = (n: number): string => `s-${n}`

/** The stream of so many events. */
export const longOf = (length: number): string => `long-${length}`

/** The key of a number. */
export const keyOf = (n: number): string => `k-${n}`

let calls = 0

/** Another order each time. */
export const nextOrder = () => orderOf(calls++)

/** Somewhere in what is there, without a pattern that a cache likes. */
export const somewhere = (places: number): number => (calls++ * 7919) % places

const ordersOf = (length: number, from: number = 0) => Array.from({ length }, (_, i) => orderOf(from + i))

/** Calls a verb so many times, by many clients at once. */
const inGroups = async (count: number, repeat: (clients: number, each: number) => Promise<void>): Promise<void> => {
  await repeat(100, Math.floor(count / 100))
  await repeat(1, count % 100)
}

/** Appends a long stream in pieces, so that others come between them, and takes its snapshot. */
const fillLong = async ({ long, side: { append, saveSnapshot } }: Growing, length: number): Promise<void> => {
  const [stream, piece] = [longOf(length), 100]
  await append(1, length / piece, (_, call) => ({ stream, orders: ordersOf(piece, call * piece) }))
  await saveSnapshot(stream)
  long.add(length)
}

/**
 * Fills a store up to so many events: with streams of twenty, a key for each, long streams among them, and the rest in
 * a stream of its own. Where as many are there already it does nothing.
 */
export const fill = async (growing: Growing, to: number): Promise<void> => {
  const { events, long, side: { append, put }, streams: first } = growing
  if (events >= to) return
  const longer = lengths.filter((length) => !long.has(length) && length * 10 <= to)
  const left = to - events - longer.reduce((sum, length) => sum + length, 0)
  // An even number, so that those that are appended to are as many as the others.
  const streams = Math.max(0, Math.floor(left / eventsEach / 2) * 2)
  let [stream, key] = [first, first]
  await Promise.all([
    inGroups(streams, (many, each) =>
      append(many, each, () => {
        const n = stream++
        return { stream: streamOf(n), orders: ordersOf(eventsEach, n) }
      })),
    ...longer.map((length) => fillLong(growing, length))
  ])
  await inGroups(streams, (many, each) => put(many, each, () => ({ key: keyOf(key++), value: nextOrder() })))
  const rest = left - streams * eventsEach
  if (rest > 0) await append(1, 1, () => ({ stream: "rest", orders: ordersOf(rest) }))
  growing.events = to - Math.min(0, rest)
  growing.streams = first + streams
}
