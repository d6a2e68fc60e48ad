/** What a store of so many events is filled with, and where to find something in it. */
import { orderOf } from "../payload.ts"
import type { Side } from "../sides/side.ts"

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

/** A store of a step, and what it has been given. */
export interface Growing {
  readonly url: string
  /** Where files can be put beside it. */
  readonly directory: string
  /** Opens it once `side` is closed. */
  readonly open: () => Promise<Verbs>
  side: Verbs
  /** All events of its log. */
  events: number
  /** Its streams of twenty events by their numbers, and as many keys. Only those with odd numbers are appended to. */
  readonly streams: number
  /** How long its long streams are, each of which has a snapshot at its end. */
  readonly long: ReadonlyArray<number>
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

/** How long the long streams are; each is there where it's a tenth of the store at most. */
export const lengths = [1000, 10_000] as const

/** The stream of a number. */
export const streamOf = (n: number): string => `s-${n}`

/** The stream of so many events. */
export const longOf = (length: number): string => `long-${length}`

/** The key of a number. */
export const keyOf = (n: number): string => `k-${n}`

let made = 0

/** Another order each time. */
export const nextOrder = () => orderOf(made++)

let sought = 0

/** Somewhere in what is there, without a pattern that a cache likes. */
export const somewhere = (places: number): number => (sought++ * 7919) % places

const ordersOf = (length: number, from: number = 0) => Array.from({ length }, (_, i) => orderOf(from + i))

/** Calls a verb so many times, by many clients at once. */
const inGroups = async (count: number, repeat: (clients: number, each: number) => Promise<void>): Promise<void> => {
  await repeat(100, Math.floor(count / 100))
  await repeat(1, count % 100)
}

/** Appends a long stream in pieces, so that others come between them, and takes its snapshot. */
const fillLong = async ({ append, saveSnapshot }: Verbs, length: number): Promise<void> => {
  const [stream, piece] = [longOf(length), 100]
  await append(1, length / piece, (_, call) => ({ stream, orders: ordersOf(piece, call * piece) }))
  await saveSnapshot(stream)
}

/**
 * Fills an empty store with so many events: in streams of twenty, a key for each, long streams among them, and the rest
 * in a stream of its own.
 */
export const fill = async (
  side: Verbs,
  events: number
): Promise<Pick<Growing, "events" | "long" | "streams">> => {
  const { append, put } = side
  const long = lengths.filter((length) => length * 10 <= events)
  const left = events - long.reduce((sum, length) => sum + length, 0)
  // An even number, so that those that are appended to are as many as the others.
  const streams = Math.floor(left / eventsEach / 2) * 2
  let [stream, key] = [0, 0]
  await Promise.all([
    inGroups(streams, (many, each) =>
      append(many, each, () => {
        const n = stream++
        return { stream: streamOf(n), orders: ordersOf(eventsEach, n) }
      })),
    ...long.map((length) => fillLong(side, length))
  ])
  await inGroups(streams, (many, each) => put(many, each, () => ({ key: keyOf(key++), value: nextOrder() })))
  const rest = left - streams * eventsEach
  if (rest > 0) await append(1, 1, () => ({ stream: "rest", orders: ordersOf(rest) }))
  return { events, long, streams }
}
