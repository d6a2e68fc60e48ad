/** How processors fare, in lines for people. */
import type { PartitionHealth, ProcessorHealth } from "@persist/runner"
import { counted, lasting, printable } from "./printable.ts"

/** A processor in a line. */
export const processorLine = (
  { guarantee, healthy, kind, name, parked, partitions, standing }: ProcessorHealth
): string => {
  const lag = partitions.reduce((most, partition) => Math.max(most, partition.lag ?? 0), 0)
  const parts = [
    healthy ? "healthy" : "NOT HEALTHY",
    ...standing === undefined ? [] : [standing],
    `${kind}, ${guarantee}`,
    counted(partitions.length, "partition"),
    lag === 0 ? "caught up" : `${counted(lag, "position")} behind`,
    ...parked === 0 ? [] : [`${parked} parked`]
  ]
  return printable(`${name}  ${parts.join(", ")}`)
}

/** A partition in a line. */
export const partitionLine = (
  { error, lag, lagTime, position, rate, reader, runner, state }: PartitionHealth
): string => {
  const parts = [
    state,
    `at ${position}`,
    ...lag === undefined ? ["needs a reset"] : lag === 0 ? [] : [`${lag} behind, ${lasting(lagTime)} old`],
    ...rate === 0 ? [] : [`${rate} a second`],
    ...runner === undefined
      ? []
      : [`${runner.label}${runner.alive ? "" : `, silent for ${lasting(runner.silentFor)}`}`],
    ...error === undefined ? [] : [error.error]
  ]
  return printable(`  ${reader}  ${parts.join("; ")}`)
}
