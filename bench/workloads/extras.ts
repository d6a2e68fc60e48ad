/**
 * What each thing that can be put around an append costs, in memory, where no disk hides it: the same calls bare and
 * with it, in one process, taking turns. 1.2 times means that the whole call takes a fifth longer.
 */
import { timed, type Workload } from "./workload.ts"

/** How many times they take turns in a round, and how many calls a turn is. */
const [turns, each] = [20, 250]

const extra = (name: string, title: string): Workload => ({
  name: `extra-${name}`,
  title,
  figures: {
    times: { unit: "times the bare call", better: "less" },
    "more, each": { unit: "microseconds", better: "less" }
  },
  needs: ["log"],
  prepare: async ({ extras }) => {
    const calls = extras?.[name]
    if (calls === undefined) return undefined
    const measure = async () => {
      const taken = { bare: 0, more: 0 }
      for (let turn = 0; turn < turns; turn++) {
        // Neither always comes after the other.
        for (const one of turn % 2 === 0 ? ["bare", "more"] as const : ["more", "bare"] as const) {
          taken[one] += await timed(() => calls[one](each))
        }
      }
      return {
        times: taken.more / taken.bare,
        "more, each": (taken.more - taken.bare) * 1000 / (turns * each)
      }
    }
    await measure()
    return { measure }
  }
})

/** All that can be put around an append. */
export const extras: ReadonlyArray<Workload> = [
  extra("catalogue", "append an event of a catalogue, checked by its schema"),
  extra("id", "append with an id, to be sent again without harm"),
  extra("cause", "append with what caused it"),
  extra("event-id", "append an event with an id of its own"),
  extra("expected", "append that expects a seq"),
  extra("tracing", "append under a tracer, in a span that its event carries")
]
