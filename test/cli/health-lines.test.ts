/** What a processor's line says of how far it is. */
import { Position } from "@persist/core"
import type { PartitionHealth, ProcessorHealth } from "@persist/runner"
import { expect, test } from "vitest"
import { processorLine } from "../../packages/cli/src/health-lines.ts"

const begun = {
  lagTime: 0,
  needs: undefined,
  busyFor: 0,
  state: "running",
  runner: undefined,
  rate: 0,
  error: undefined
} as const

const partition = (index: number, lag: number): PartitionHealth => ({
  ...begun,
  position: Position(9),
  reader: `mailer#${index}`,
  lag
})

const stopped: PartitionHealth = { ...partition(1, 0), state: "stopped" }

const lineOf = (of: number, partitions: ReadonlyArray<PartitionHealth>): string => {
  const told = { name: "mailer", kind: "subscription", guarantee: "at least once", standing: undefined } as const
  const processor: ProcessorHealth = { ...told, of, partitions, parked: 0, healthy: false }
  return processorLine(processor)
}

test.each([
  ["none of one partition began", 1, [], "1 partition, not begun"],
  ["some have begun", 2, [partition(0, 0)], "2 partitions, 1 of them begun"],
  ["all have come to the end", 2, [partition(0, 0), partition(1, 0)], "2 partitions, caught up"],
  ["one is behind", 2, [partition(0, 0), partition(1, 7)], "2 partitions, 7 positions behind"],
  ["one has stopped where all have come to the end", 2, [partition(0, 0), stopped], "2 partitions, stopped"]
])("%s", (_what, of, partitions, said) => {
  expect(lineOf(of, partitions)).toBe(`mailer  NOT HEALTHY, subscription, at least once, ${said}`)
})
