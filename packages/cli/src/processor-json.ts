/** How processors and parked events are written as JSON: as they are, with times as ISO 8601. */
import type { ParkedEvent, ProcessorHealth } from "@persist/runner"
import { timeText } from "persist/effect"

type Attempt = ParkedEvent["attempts"][number]

const attemptJson = ({ at, error }: Attempt) => ({ at: timeText(at), error })

/** How a processor fares. */
export const healthJson = (processor: ProcessorHealth) => ({
  ...processor,
  partitions: processor.partitions.map(({ error, runner, ...partition }) => ({
    ...partition,
    ...runner === undefined ? {} : { runner: { ...runner, startedAt: timeText(runner.startedAt) } },
    ...error === undefined ? {} : { error: attemptJson(error) }
  }))
})

/** An event that was put aside. */
export const parkedJson = (parked: ParkedEvent) => ({ ...parked, attempts: parked.attempts.map(attemptJson) })
