/** Fills a store for each step, and measures the same work in all of them. */
import type { Places } from "../harness/place.ts"
import { spread } from "../harness/statistics.ts"
import { openPromise, type StoreName, storeUrl } from "../sides/persist.ts"
import type { Curve, Panel, Point } from "./curves.ts"
import { fill, type Growing, verbsOf } from "./growing.ts"
import { arrivals, kept, openings } from "./reopened.ts"
import { latencies, passes, reads, type Work, writes } from "./works.ts"

/** How often something is measured, after how many times that only warm it up. */
type Rounds = readonly [rounds: number, warming: number]

/** Works of one panel. */
interface Group {
  readonly panel: Panel
  readonly works: ReadonlyArray<Work>
  readonly rounds: (events: number) => Rounds
}

/** What adds no events comes first: so it's measured where exactly so many are there. */
const groups: ReadonlyArray<Group> = [
  { panel: "store", works: kept, rounds: () => [1, 0] },
  { panel: "reading", works: reads, rounds: () => [9, 5] },
  // Of many events one pass is as good as several.
  { panel: "all events", works: passes, rounds: (events) => events < 1_000_000 ? [3, 2] : [1, 0] },
  { panel: "store", works: openings, rounds: () => [5, 2] },
  { panel: "writing", works: writes, rounds: () => [5, 2] },
  { panel: "latency", works: latencies, rounds: () => [3, 1] },
  { panel: "store", works: arrivals, rounds: () => [3, 0] }
]

/** Tells of one measurement: what was done, and what it came to where so many events were there. */
type Note = (panel: Panel, name: string, point: Point) => void

/** Measures one kind of work: its points stand where the store is halfway through it. */
export const measureWork = async (
  growing: Growing,
  panel: Panel,
  [rounds, warming]: Rounds,
  work: Work,
  note: Note
): Promise<void> => {
  let before = growing.events
  const found = new Map<string, ReadonlyArray<number>>()
  for (let round = -warming; round < rounds; round++) {
    if (round === 0) before = growing.events
    const one = await work(growing)
    if (one === undefined) return
    growing.events += one.added
    if (round < 0) continue
    for (const [name, figure] of Object.entries(one.figures)) found.set(name, [...found.get(name) ?? [], figure])
  }
  const events = (before + growing.events) / 2
  for (const [name, figures] of found) note(panel, name, { events, value: spread(figures) })
}

/** Makes a store of so many events and measures it, from what only reads to what kills it. */
const measureStep = async (
  store: StoreName,
  events: number,
  places: Places,
  once: boolean,
  note: Note
): Promise<void> => {
  const [place, remove] = await places.place(store)
  try {
    const open = async () => verbsOf(await openPromise(store)(place))
    const side = await open()
    const filled = await fill(side, events)
    const growing: Growing = { url: storeUrl(store, place), directory: place.directory, open, side, ...filled }
    for (const group of groups) {
      // What is in memory is gone once it's closed.
      if (store === "memory" && group.panel === "store") continue
      const rounds: Rounds = once ? [1, 0] : group.rounds(growing.events)
      for (const work of group.works) await measureWork(growing, group.panel, rounds, work, note)
    }
    // What was added has to be there, and nothing else.
    if (once) await growing.side.readAll(growing.events)
    await growing.side.close()
  } finally {
    await remove()
  }
}

/**
 * The curves of a store over steps, in the order of the steps, each a store of its own; each measurement is handed to
 * `tell`. With `once` each is made once and without warming up, which shows that it can be made.
 */
export const measure = async (
  store: StoreName,
  steps: ReadonlyArray<number>,
  places: Places,
  tell: Note,
  once: boolean = false
): Promise<ReadonlyArray<Curve>> => {
  const curves = new Map<string, Curve>()
  const note: Note = (panel, name, point) => {
    curves.set(name, { name, panel, points: [...curves.get(name)?.points ?? [], point] })
    tell(panel, name, point)
  }
  for (const events of steps) await measureStep(store, events, places, once, note)
  return [...curves.values()]
}
