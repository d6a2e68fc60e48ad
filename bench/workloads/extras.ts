/** What each thing that can be put around a call costs: beside the bare call, in one process, taking turns. */
import { timed, type Workload } from "./workload.ts"

const extra = (name: string, title: string): Workload => ({
  name: `extra-${name}`,
  title,
  figures: { times: { unit: "times the bare call", better: "less" } },
  needs: ["log"],
  prepare: async ({ extras }, { round }) => {
    const [bare, more] = [extras?.bare, extras?.[name]]
    if (bare === undefined || more === undefined) return undefined
    const calls = Math.ceil(round * 10)
    const measure = async () => {
      const taken = await timed(() => bare(calls))
      return { times: await timed(() => more(calls)) / taken }
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
  extra("expected", "append that expects a seq")
]
