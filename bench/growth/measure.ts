/** Fills one store step by step, and measures the same work at every step. */
import type { Places } from "../harness/place.ts"
import { type Spread, spread } from "../harness/statistics.ts"
import { openPromise, type StoreName } from "../sides/persist.ts"
import { timed } from "../workloads/workload.ts"
import type { Curve, Point } from "./curves.ts"
import { fill, type Growing, passes, reads, verbsOf, writes } from "./works.ts"

/** How long something takes, in microseconds: of so many times, after others that only warm it up. */
const repeated = async (run: () => Promise<void>, rounds: number, warming: number): Promise<Spread> => {
  const taken: Array<number> = []
  for (let round = -warming; round < rounds; round++) {
    const millis = await timed(run)
    if (round >= 0) taken.push(millis * 1000)
  }
  return spread(taken)
}

const perCall = ({ max, median, min }: Spread, calls: number): Spread => ({
  median: median / calls,
  min: min / calls,
  max: max / calls
})

/** Tells of one measurement: at how many events, and how many microseconds a call took. */
type Note = (name: string, point: Point) => void

/** What changes nothing, so that exactly so many events are there. */
const measureReads = async (growing: Growing, note: Note): Promise<void> => {
  const { events } = growing
  for (const { calls, name, run } of reads) {
    note(name, { events, micros: perCall(await repeated(() => run(growing), 9, 5), calls) })
  }
  // Of many events one pass is as good as several.
  const [rounds, warming] = events < 1_000_000 ? [3, 2] : [1, 0]
  for (const { name, run } of passes) {
    note(name, { events, micros: perCall(await repeated(() => run(growing), rounds, warming), events) })
  }
}

/** What writes: it stands where the store is halfway through it. */
const measureWrites = async (growing: Growing, note: Note): Promise<void> => {
  for (const { adds, calls, name, run } of writes) {
    const before = growing.events
    const micros = await repeated(
      async () => {
        await run(growing)
        growing.events += adds * calls
      },
      5,
      2
    )
    note(name, { events: (before + growing.events) / 2, micros: perCall(micros, calls) })
  }
}

/** Opens a store that was left, and reads its head. */
const opening = "open, and read the head"

/** The curves of a store over steps, in the order of the steps; each measurement is handed to `tell`. */
export const measure = async (
  store: StoreName,
  steps: ReadonlyArray<number>,
  places: Places,
  tell: Note
): Promise<ReadonlyArray<Curve>> => {
  const [place, remove] = await places.place(store)
  const open = async () => verbsOf(await openPromise(store)(place))
  const growing: Growing = { side: await open(), events: 0, streams: 0 }
  const found = new Map<string, ReadonlyArray<Point>>()
  const note: Note = (name, point) => {
    found.set(name, [...found.get(name) ?? [], point])
    tell(name, point)
  }
  for (const events of steps) {
    await fill(growing, events)
    await measureReads(growing, note)
    if (store !== "memory") {
      await growing.side.close()
      const again = async () => {
        const side = await open()
        await side.head()
        await side.close()
      }
      note(opening, { events, micros: await repeated(again, 9, 5) })
      growing.side = await open()
    }
    await measureWrites(growing, note)
  }
  await growing.side.close()
  await remove()
  return Array.from(found, ([name, points]) => ({ name, points }))
}
