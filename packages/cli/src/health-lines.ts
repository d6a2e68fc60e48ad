/** How processors fare, in lines for people. */
import type { PartitionHealth, ProcessorHealth } from "@persist/runner"
import { commandOf } from "@persist/runner/stale"
import { counted, lasting, printable } from "./printable.ts"

/** A processor in a line. */
export const processorLine = (processor: ProcessorHealth): string => {
  const { guarantee, healthy, kind, name, of, parked, standing } = processor
  const parts = [
    healthy ? "healthy" : "NOT HEALTHY",
    ...standing === undefined ? [] : [standing],
    `${kind}, ${guarantee}`,
    counted(of, "partition"),
    placeOf(processor),
    ...parked === 0 ? [] : [`${parked} parked`]
  ]
  return printable(`${name}  ${parts.join(", ")}`)
}

/** How far a processor is, at its slowest partition; where their positions mean nothing, what it needs. */
export const placeOf = ({ name, of, partitions }: ProcessorHealth): string => {
  const needs = partitions.flatMap((partition) => partition.needs === undefined ? [] : [partition.needs])
  const need = needs.includes("reset") ? "reset" : needs[0]
  if (need !== undefined) return `needs ${commandOf(name, need)}`
  if (partitions.length < of) return of === 1 ? "not begun" : `${partitions.length} of them begun`
  const lag = partitions.reduce((most, partition) => Math.max(most, partition.lag ?? 0), 0)
  if (lag > 0) return `${counted(lag, "position")} behind`
  // One that was adopted a moment ago, and that its runner hasn't tried again: what comes next it wouldn't handle.
  return partitions.some(({ state }) => state === "stopped") ? "stopped" : "caught up"
}

/** A partition in a line. */
export const partitionLine = (
  { busyFor, error, lag = 0, lagTime, needs, position, rate, reader, runner, state }: PartitionHealth
): string => {
  const parts = [
    state,
    `at ${position}`,
    ...needs === undefined ? [] : [`needs ${needs}`],
    ...lag === 0 ? [] : [`${lag} behind, ${lasting(lagTime)} old`],
    ...rate === 0 ? [] : [`${rate} a second`],
    ...runner === undefined
      ? []
      : [`${runner.label}${runner.alive ? "" : `, silent for ${lasting(runner.silentFor)}`}`],
    ...busyFor < 10_000 ? [] : [`the same in hand for ${lasting(busyFor)}`],
    ...error === undefined ? [] : [error.error]
  ]
  return printable(`  ${reader}  ${parts.join("; ")}`)
}
