/** The partitions that a runner runs, as it knows them and shows them to others. */
import type { Position, StoreError } from "@persist/core"
import type * as Fiber from "effect/Fiber"
import type { PartitionReport } from "./names.ts"
import type { Partition } from "./partition.ts"
import type { Processor } from "./processor.ts"
import type { Ended, Worker } from "./worker.ts"

/** What a runner knows of one of its partitions. */
export interface Own<R> {
  readonly processor: Processor<R>
  readonly partition: Partition
  readonly reader: string
}

/** One that it runs. */
export interface Running<R> {
  readonly own: Own<R>
  readonly worker: Worker<R>
  readonly fiber: Fiber.Fiber<Ended, StoreError>
  /** What had been said of the processor when it began. */
  readonly control: Position | undefined
  /** As of the last report, by the monotonic clock in milliseconds. */
  counted: { readonly handled: number; readonly at: number; readonly rate: number }
  /** What it has had in hand in all reports since. */
  busy: { readonly pulse: number; readonly since: number }
}

/** One that is about to run, at a time of the monotonic clock. */
export const runningOf = <R>(parts: Omit<Running<R>, "counted" | "busy">, at: number): Running<R> => ({
  ...parts,
  counted: { handled: 0, at, rate: 0 },
  busy: { pulse: -1, since: at }
})

/** How a partition fares, at a time of the monotonic clock. */
export const reportOf = <R>(running: Running<R>, at: number): PartitionReport => {
  const { own: { processor: { policy } }, worker: { inHand, report } } = running
  const seconds = (at - running.counted.at) / 1000
  if (seconds > 0) {
    const { handled } = report
    running.counted = { handled, at, rate: Math.round((handled - running.counted.handled) / seconds) }
  }
  if (!inHand.isBusy || running.busy.pulse !== inHand.pulse) running.busy = { pulse: inHand.pulse, since: at }
  const busyFor = at - running.busy.since
  return {
    ...report,
    rate: running.counted.rate,
    ...busyFor > 0 && { busyFor },
    ...busyFor >= policy.hangsAfter && { hangs: true }
  }
}

/** What a partition has in hand that is waited for, in words: `mailer#3 at position 17`. */
export const inHandText = <R>({ own: { reader }, worker: { inHand } }: Running<R>): string =>
  inHand.position === undefined ? reader : `${reader} at position ${inHand.position}`
