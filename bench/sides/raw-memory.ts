/** Memory by hand: a map of arrays and one array of all events, each a text of its own. */
import { checkCount, fold, nothing, type Order, orderOf, placed } from "../payload.ts"
import { contending } from "./contend.ts"
import { byPromise, checkFound, checkWon, type OpenSide } from "./side.ts"

interface Recorded {
  readonly stream: string
  readonly seq: number
  readonly type: string
  readonly at: number
  readonly data: string
}

/** Opens maps and arrays. */
export const openRawMemory: OpenSide = async () => {
  const all: Array<Recorded> = []
  const streams = new Map<string, Array<Recorded>>()
  const kv = new Map<string, string>()
  const listeners = new Set<() => void>()
  const append = async (stream: string, orders: ReadonlyArray<Order>, expected?: number): Promise<boolean> => {
    const events = streams.get(stream) ?? []
    if (expected !== undefined && expected !== events.length) return false
    if (events.length === 0) streams.set(stream, events)
    for (const order of orders) {
      const event = { stream, seq: events.length + 1, type: placed, at: Date.now(), data: JSON.stringify(order) }
      events.push(event)
      all.push(event)
    }
    for (const listener of listeners) listener()
    return true
  }
  const foldOf = (events: ReadonlyArray<Recorded>) => {
    const state = nothing()
    for (const { data } of events) fold(state, JSON.parse(data))
    return state.events
  }
  return {
    append: byPromise(({ orders, stream }) => append(stream, orders)),
    contend: contending((stream) => () => {
      const expected = streams.get(stream)?.length ?? 0
      return append(stream, [orderOf(expected)], expected)
    }),
    fold: byPromise(async ({ events, stream }) => checkCount(foldOf(streams.get(stream) ?? []), events)),
    readAll: async (events) => checkCount(foldOf(all), events),
    catchUp: async (events) => checkCount(foldOf(all), events),
    follow: async (handle) => {
      let seen = all.length
      const listener = () => {
        for (; seen < all.length; seen++) handle(JSON.parse(all[seen]?.data ?? ""))
      }
      listeners.add(listener)
      return async () => void listeners.delete(listener)
    },
    get: byPromise(async (key) => JSON.parse(kv.get(key) ?? "null"), checkFound),
    put: byPromise(async ({ key, value }) => kv.set(key, JSON.stringify(value))),
    cas: byPromise(async ({ key, value }) => {
      const before = kv.get(key)
      JSON.parse(before ?? "null")
      const text = JSON.stringify(value)
      // The text is as good as a revision: who finds it again loses nothing.
      if (kv.get(key) !== before) return false
      kv.set(key, text)
      return true
    }, checkWon),
    close: async () => undefined
  }
}
