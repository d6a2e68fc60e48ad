/** How many events and streams there are, and the ten longest streams. */
import { Projection } from "persist"
import { history } from "./events.ts"

/** A stream and its length. */
export interface StreamLength {
  readonly stream: string
  readonly events: number
}

interface Streams {
  readonly events: number
  readonly streams: number
  readonly longest: ReadonlyArray<StreamLength>
}

const seed: Streams = { events: 0, streams: 0, longest: [] }

const byLength = (a: StreamLength, b: StreamLength): number => b.events - a.events || (a.stream < b.stream ? -1 : 1)

// An event's seq is its stream's length so far, and streams only grow: ten are enough to know the ten longest.
const among = (longest: ReadonlyArray<StreamLength>, one: StreamLength): ReadonlyArray<StreamLength> => {
  const last = longest[9]
  if (last !== undefined && byLength(last, one) < 0) return longest
  return [...longest.filter(({ stream }) => stream !== one.stream), one].sort(byLength).slice(0, 10)
}

export default Projection.make({
  name: "longest-streams",
  version: 1,
  events: history,
  seed,
  step: ({ events, longest, streams }, { seq, stream }) => ({
    events: events + 1,
    streams: streams + (seq === 1 ? 1 : 0),
    longest: among(longest, { stream, events: seq })
  })
})
