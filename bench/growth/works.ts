/** The work whose cost is followed while a store grows: what reads, what passes over every event, and what writes. */
import { followHere, latencyOf } from "../workloads/feeds.ts"
import { mixing } from "../workloads/keys.ts"
import { timed } from "../workloads/workload.ts"
import { eventsEach, type Growing, keyOf, lengths, longOf, nextOrder, somewhere, streamOf } from "./growing.ts"

/** What one measurement has found: figures by the names of their curves, and how many events it has added. */
export interface Found {
  readonly figures: Readonly<Record<string, number>>
  readonly added: number
}

/** One kind of work. Nothing, where the store hasn't got what it takes yet. */
export type Work = (growing: Growing) => Promise<Found | undefined>

/** So many clients that each make so many calls, of which each adds so many events. */
interface Calls {
  readonly clients: number
  readonly each: number
  readonly adds?: number
}

type Run = (growing: Growing, clients: number, each: number) => Promise<void>

/** Microseconds a call. */
const called = (name: string, { adds = 0, clients, each }: Calls, run: Run): Work => async (growing) => {
  const millis = await timed(() => run(growing, clients, each))
  const calls = clients * each
  return { figures: { [name]: millis * 1000 / calls }, added: adds * calls }
}

const alone = (each: number): Calls => ({ clients: 1, each })

const atOnce = (clients: number, each: number): Calls => ({ clients, each })

const titleOf = ({ clients }: Calls): string => clients === 1 ? "one at a time" : `${clients} at once`

const shown = (length: number): string => length.toLocaleString("en")

const folding = (length: number): Work =>
  called(
    `fold a stream of ${shown(length)}`,
    alone(20_000 / length),
    ({ side }, ...how) => side.fold(...how, () => ({ stream: longOf(length), events: length }))
  )

const loading = (length: number): Work =>
  called(
    `load ${shown(length)} with a snapshot`,
    alone(200),
    ({ side }, ...how) => side.load(...how, () => ({ stream: longOf(length), events: length }))
  )

/** What reads a part of the store. */
export const reads: ReadonlyArray<Work> = [
  called(
    "fold a stream of 20",
    alone(200),
    ({ side, streams }, ...how) =>
      side.fold(...how, () => ({ stream: streamOf(somewhere(streams / 2) * 2), events: eventsEach }))
  ),
  ...lengths.flatMap((length) =>
    [folding(length), loading(length)].map((work): Work => async (growing) =>
      growing.long.includes(length) ? await work(growing) : undefined
    )
  ),
  ...[alone(500), atOnce(64, 100)].map((calls) =>
    called(
      `kv get, ${titleOf(calls)}`,
      calls,
      ({ side, streams }, ...how) => side.get(...how, () => keyOf(somewhere(streams)))
    )
  ),
  // By their text a hundred keys and more follow those that begin so, at every step.
  called(
    "kv scan of 100",
    alone(20),
    ({ side }, ...how) => side.scan(...how, () => ({ from: keyOf(Number(`1${somewhere(10_000)}`)), limit: 100 }))
  )
]

const passing = (name: string, verb: "catchUp" | "readAll" | "rebuild"): Work => async ({ events, side }) => {
  const millis = await timed(() => side[verb](events))
  return { figures: { [name]: millis * 1000 / events }, added: 0 }
}

/** What passes over every event: each finds as many as are there, or fails. */
export const passes: ReadonlyArray<Work> = [
  passing("read all", "readAll"),
  passing("catch up into a handler", "catchUp"),
  passing("build a read model", "rebuild")
]

const appending = (name: string, calls: Calls, size: number = 1): Work =>
  called(name, { ...calls, adds: size }, ({ side }, ...how) =>
    side.append(...how, (client) => ({
      stream: `appended-${client}`,
      orders: Array.from({ length: size }, nextOrder)
    })))

const putting = (calls: Calls): Work =>
  called(
    `kv put, ${titleOf(calls)}`,
    calls,
    ({ side, streams }, ...how) => side.put(...how, () => ({ key: keyOf(somewhere(streams)), value: nextOrder() }))
  )

/** Each client has keys of its own, in all of them: nobody loses. */
const comparing = (calls: Calls): Work =>
  called(
    `kv get and compare-and-set, ${titleOf(calls)}`,
    calls,
    ({ side, streams }, clients, each) =>
      side.cas(clients, each, (client) => {
        const own = somewhere(Math.floor(streams / clients))
        return { key: keyOf(client + clients * own), value: nextOrder() }
      })
  )

/** For a fixed time, as there is no telling who wins. */
const contending: Work = async ({ side: { contend } }) => {
  const from = performance.now()
  const wins = await contend(16, 100, "contended")
  const millis = performance.now() - from
  const won = wins.reduce((sum, some) => sum + some, 0)
  if (won === 0) throw new Error("of 16 writers of one stream none has won anything")
  return { figures: { "append, 16 contending, a win": millis * 1000 / won }, added: won }
}

/** A tenth of its calls are appends. */
const mixed = called("gets, puts and appends mixed, 16 clients", { clients: 16, each: 100, adds: 0.1 }, (
  { side, streams },
  _clients,
  each
) => mixing(side, () => keyOf(somewhere(streams)))(each / 10))

/** What writes. */
export const writes: ReadonlyArray<Work> = [
  ...[alone(50), atOnce(64, 10)].flatMap((calls) => [putting(calls), comparing(calls)]),
  ...[alone(50), atOnce(64, 5), atOnce(256, 2)].map((calls) => appending(`append, ${titleOf(calls)}`, calls)),
  called(
    "append to streams from before, 64 at once",
    { ...atOnce(64, 5), adds: 1 },
    ({ side, streams }, ...how) =>
      side.append(...how, () => ({ stream: streamOf(somewhere(streams / 2) * 2 + 1), orders: [nextOrder()] }))
  ),
  appending("append a batch of 10", alone(30), 10),
  appending("append a batch of 100", alone(5), 100),
  appending("append a batch of 1,000", alone(2), 1000),
  contending,
  mixed
]

const latency = (
  perSecond: number,
  events: number,
  told: ReadonlyArray<"p50" | "p99">
): Work =>
async ({ side: { append, follow } }) => {
  const percentiles = await latencyOf(append, followHere(follow), perSecond, events)
  const name = `append to handler, ${shown(perSecond)} a second`
  const figures = Object.fromEntries(
    told.map((percentile) => [`${name}: ${percentile}`, percentiles[percentile] * 1000])
  )
  return { figures, added: events }
}

/** How long an event takes to its handler; of a hundred events there is no p99. */
export const latencies: ReadonlyArray<Work> = [latency(100, 100, ["p50"]), latency(10_000, 1000, ["p50", "p99"])]
