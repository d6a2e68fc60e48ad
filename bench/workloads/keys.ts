/** The kv: gets, puts, compare-and-sets, scans; one client and 64; and a mix of reads and writes. */
import { orderOf } from "../payload.ts"
import type { KvSide, Side } from "../sides/side.ts"
import { rate, type Sizes, type Workload } from "./workload.ts"

const keyOf = (n: number): string => `key-${String(n).padStart(7, "0")}`

/** Spreads calls over keys without a pattern that a page cache likes. */
const scattered = (keys: number) => {
  let n = 0
  return () => keyOf((n++ * 7919) % keys)
}

const fill = async (put: NonNullable<KvSide["put"]>, keys: number): Promise<void> => {
  const clients = 100
  let next = 0
  await put(clients, Math.ceil(keys / clients), () => {
    const n = next++ % keys
    return { key: keyOf(n), value: orderOf(n) }
  })
}

type Repeat = (side: Side, sizes: Sizes) => ((clients: number, count: number) => Promise<void>) | undefined

const repeats: Readonly<Record<string, Repeat>> = {
  get: ({ get }, { keys }) => {
    const key = scattered(keys)
    return get && ((clients, count) => get(clients, count, key))
  },
  put: ({ put }, { keys }) => {
    const key = scattered(keys)
    let n = 0
    return put && ((clients, count) => put(clients, count, () => ({ key: key(), value: orderOf(n++) })))
  },
  cas: ({ cas }, { keys }) => {
    let n = 0
    const made: Array<number> = []
    // Each client has keys of its own, in all of them: nobody loses.
    const input = (clients: number) => (client: number) => {
      const call = made[client] = (made[client] ?? 0) + 1
      const key = keyOf(client + clients * ((call * 7919) % Math.floor(keys / clients)))
      return { key, value: orderOf(n++) }
    }
    return cas && ((clients, count) => cas(clients, count, input(clients)))
  },
  scan: ({ scan }, { keys }) => {
    let n = 0
    const input = () => ({ from: keyOf((n++ * 7919) % (keys - 999)), limit: 1000 })
    return scan && ((clients, count) => scan(clients, count, input))
  }
}

const keyed = (verb: string, clients: number, title: string, each: number = 1): Workload => ({
  name: `kv-${verb}-${clients}`,
  title,
  figures: rate(each === 1 ? "calls/s" : "entries/s"),
  needs: ["kv"],
  prepare: async (side, sizes) => {
    const repeat = repeats[verb]?.(side, sizes)
    if (repeat === undefined || side.put === undefined) return undefined
    await fill(side.put, sizes.keys)
    return { repeat: (count) => repeat(clients, count), each: clients * each }
  }
})

/** Sixteen clients that so many times get eight keys, put one and append an event, each one after another. */
export const mixing = ({ append, get, put }: Required<Pick<Side, "append" | "get" | "put">>, key: () => string) => {
  let n = 0
  const client = async (number: number, count: number) => {
    for (let i = 0; i < count; i++) {
      await get(1, 8, key)
      await put(1, 1, () => ({ key: key(), value: orderOf(n++) }))
      await append(1, 1, () => ({ stream: `mixed-${number}`, orders: [orderOf(n++)] }))
    }
  }
  return async (count: number): Promise<void> =>
    void await Promise.all(Array.from({ length: 16 }, (_, number) => client(number, count)))
}

/** Of ten calls of each of 16 clients eight get, one puts, one appends. */
const mixed: Workload = {
  name: "mixed-16",
  title: "16 clients, each 8 gets, a put and an append in turn",
  figures: rate("calls/s"),
  needs: ["log", "kv"],
  prepare: async ({ append, get, put }, sizes) => {
    if (append === undefined || get === undefined || put === undefined) return undefined
    await fill(put, sizes.keys)
    return { repeat: mixing({ append, get, put }, scattered(sizes.keys)), each: 160 }
  }
}

/** All of the kv. */
export const keys: ReadonlyArray<Workload> = [
  keyed("get", 1, "kv get, one at a time"),
  keyed("get", 64, "kv get, 64 at once"),
  keyed("put", 1, "kv put, one at a time"),
  keyed("put", 64, "kv put, 64 at once"),
  keyed("cas", 1, "kv get and compare-and-set, one at a time"),
  keyed("cas", 64, "kv get and compare-and-set, 64 at once, each its own keys"),
  keyed("scan", 1, "kv scan of 1,000 entries", 1000),
  mixed
]
