/** The work whose cost is followed while a store grows: what reads, what passes over every event, and what writes. */
import { orderOf } from "../payload.ts"
import type { Side } from "../sides/side.ts"

type Verb = "append" | "catchUp" | "close" | "fold" | "get" | "head" | "put" | "rebuild" | "scan"

/** The verbs that are followed; every store of ours has them. */
export type Verbs = Required<Pick<Side, Verb>>

/** A store that grows, and what it has been given. */
export interface Growing {
  side: Verbs
  /** All events of its log. */
  events: number
  /** Its streams of twenty events by their numbers, and as many keys. Only those with odd numbers are appended to. */
  streams: number
}

/** One kind of work: how many calls a measurement makes, how many events each adds, and how they are made. */
export interface Work {
  readonly name: string
  readonly calls: number
  readonly adds: number
  readonly run: (growing: Growing) => Promise<void>
}

/** How many events a stream is filled with. */
const eventsEach = 20

const streamOf = (n: number): string => `s-${n}`

const keyOf = (n: number): string => `k-${n}`

let calls = 0

/** Somewhere in what is there, without a pattern that a cache likes. */
const somewhere = (places: number): number => (calls++ * 7919) % places

/** The verbs of a side; throws where it lacks one. */
export const verbsOf = ({ append, catchUp, close, fold, get, head, put, rebuild, scan }: Side): Verbs => {
  if (!append || !catchUp || !fold || !get || !head || !put || !rebuild || !scan) {
    throw new Error("the side lacks a verb that is followed")
  }
  return { append, catchUp, close, fold, get, head, put, rebuild, scan }
}

/** What reads a part of the store. */
export const reads: ReadonlyArray<Work> = [
  {
    name: "fold a stream of 20",
    calls: 200,
    adds: 0,
    run: ({ side: { fold }, streams }) =>
      fold(1, 200, () => ({ stream: streamOf(somewhere(streams / 2) * 2), events: eventsEach }))
  },
  {
    name: "kv get",
    calls: 500,
    adds: 0,
    run: ({ side: { get }, streams }) => get(1, 500, () => keyOf(somewhere(streams)))
  },
  {
    name: "kv scan of 100",
    calls: 20,
    adds: 0,
    // By their text a hundred keys and more follow those that begin so, at every step.
    run: ({ side: { scan } }) => scan(1, 20, () => ({ from: keyOf(Number(`1${somewhere(10_000)}`)), limit: 100 }))
  }
]

/** What passes over every event: each finds as many as are there, or fails. */
export const passes: ReadonlyArray<Pick<Work, "name" | "run">> = [
  { name: "catch up, an event", run: ({ events, side: { catchUp } }) => catchUp(events) },
  { name: "build a read model, an event", run: ({ events, side: { rebuild } }) => rebuild(events) }
]

const clients = 64

/** What writes, after all the rest. */
export const writes: ReadonlyArray<Work> = [
  {
    name: "kv put, 64 at once",
    calls: clients * 10,
    adds: 0,
    run: ({ side: { put }, streams }) =>
      put(clients, 10, () => {
        const n = somewhere(streams)
        return { key: keyOf(n), value: orderOf(n) }
      })
  },
  {
    name: "append, one at a time",
    calls: 50,
    adds: 1,
    run: ({ side: { append } }) => append(1, 50, () => ({ stream: "appended", orders: [orderOf(calls++)] }))
  },
  {
    name: "append, 64 at once",
    calls: clients * 5,
    adds: 1,
    run: ({ side: { append } }) =>
      append(clients, 5, (client) => ({ stream: `appended-${client}`, orders: [orderOf(calls++)] }))
  },
  {
    name: "append to streams from before",
    calls: clients * 5,
    adds: 1,
    run: ({ side: { append }, streams }) =>
      append(clients, 5, () => ({ stream: streamOf(somewhere(streams / 2) * 2 + 1), orders: [orderOf(calls)] }))
  }
]

/** Calls a verb so many times, by many clients at once. */
const inGroups = async (count: number, repeat: (clients: number, each: number) => Promise<void>): Promise<void> => {
  await repeat(100, Math.floor(count / 100))
  await repeat(1, count % 100)
}

/** Fills a store up to so many events: with streams of twenty, a key for each, and the rest in a stream of its own. */
export const fill = async (growing: Growing, to: number): Promise<void> => {
  const { events, side: { append, put }, streams: first } = growing
  // An even number, so that those that are appended to are as many as the others.
  const streams = Math.floor((to - events) / eventsEach / 2) * 2
  let [stream, key] = [first, first]
  await inGroups(streams, (many, each) =>
    append(many, each, () => {
      const n = stream++
      return { stream: streamOf(n), orders: Array.from({ length: eventsEach }, (_, i) => orderOf(n + i)) }
    }))
  await inGroups(streams, (many, each) =>
    put(many, each, () => {
      const n = key++
      return { key: keyOf(n), value: orderOf(n) }
    }))
  const rest = to - events - streams * eventsEach
  if (rest > 0) {
    await append(1, 1, () => ({ stream: "rest", orders: Array.from({ length: rest }, (_, i) => orderOf(i)) }))
  }
  growing.events = to
  growing.streams = first + streams
}
