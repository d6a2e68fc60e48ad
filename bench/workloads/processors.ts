/** Processors of one runner catching up: what many of them, or many partitions, cost beside one. */
import { fillLog } from "./read.ts"
import { timed, type Workload } from "./workload.ts"

const catchingUp = (count: number, partitions: number, title: string): Workload => ({
  name: `processors-${count}x${partitions}`,
  title,
  figures: {
    rate: { unit: "events of the log/s", better: "more" },
    "times one alone": { unit: "times", better: "less" }
  },
  needs: ["log"],
  prepare: async ({ append, processors }, { log }) => {
    if (append === undefined || processors === undefined) return undefined
    await fillLog(append, log / 2)
    const measure = async () => {
      const alone = await timed(() => processors(1, 1))
      const many = await timed(() => processors(count, partitions))
      return { rate: log / 2 * 1000 / many, "times one alone": many / alone }
    }
    await measure()
    return { measure }
  }
})

/** One processor in partitions, and many. */
export const processors: ReadonlyArray<Workload> = [
  catchingUp(1, 16, "a processor in 16 partitions catching up"),
  catchingUp(16, 1, "16 processors of one runner catching up"),
  catchingUp(40, 1, "40 processors of one runner catching up")
]
