/** How a runner behaves, and what is wrong with what it's asked to run. */
import { Invalid } from "@persist/core"
import { type Fault, millisFault, optionsFault, textFault } from "@persist/core/fault"
import { quoted } from "@persist/core/path"
import { isProcessor, type Processor } from "./processor.ts"

/** How a runner behaves towards others. */
export interface RunnerOptions {
  /** What people know it by, such as a host's name; its id by default. */
  readonly label?: string | undefined
  /**
   * Milliseconds without a sign of life after which the others take over what it runs; 10,000 by default. A runner that
   * was only slow loses nothing by it but the work in hand.
   */
  readonly patience?: number | undefined
  /**
   * Milliseconds between two looks at who else is there, at most a third of its patience; 500 by default, or a quarter
   * of its patience where that is less.
   */
  readonly interval?: number | undefined
  /** What becomes of it where a partition is stopped by its policy: `"stay"`, by default, or `"die"` of the failure. */
  readonly whenStopped?: "stay" | "die" | undefined
}

/** The refusal of options that no runner has, and of processors that would be in each other's way. */
export const runnerFault = <R>(
  processors: ReadonlyArray<Processor<R>>,
  options: RunnerOptions
): Fault | undefined =>
  optionsFault(options, ["label", "patience", "interval", "whenStopped"]) ??
    textFault("label", options.label) ??
    millisOf("patience", options.patience) ??
    millisOf("interval", options.interval) ??
    intervalFault(options) ??
    stoppedFault(options.whenStopped) ??
    processorsFault(processors)

const millisOf = (field: string, value: number | undefined): Fault | undefined =>
  value === undefined ? undefined : value === 0
    ? new Invalid({ field, reason: "is no time at all", remedy: "leave it out" })
    : millisFault(field, value)

/** How long a runner may be silent, in milliseconds, and how long it waits between two looks. */
export const paceOf = ({ interval, patience = 10_000 }: RunnerOptions) => ({
  patience,
  interval: interval ?? Math.min(500, patience / 4)
})

// Who looks less often than the others expect to hear of it is taken for dead in between.
const intervalFault = (options: RunnerOptions): Fault | undefined => {
  const { interval, patience } = paceOf(options)
  return interval <= patience / 3 ? undefined : new Invalid({
    field: "interval",
    reason: `is ${interval} ms, more than a third of its patience, ${patience} ms`,
    remedy: "leave it out, or have more patience"
  })
}

const stoppedFault = (whenStopped: unknown): Fault | undefined =>
  whenStopped === undefined || whenStopped === "stay" || whenStopped === "die" ? undefined : new Invalid({
    field: "whenStopped",
    reason: "is neither of both",
    remedy: `pass "stay" or "die"`
  })

const processorsFault = <R>(processors: ReadonlyArray<Processor<R>>): Fault | undefined => {
  if (!Array.isArray(processors)) {
    return new Invalid({ field: "processors", reason: "is no list of them", remedy: "pass [mailer, …]" })
  }
  for (const [at, processor] of processors.entries()) {
    const field = `processors[${at}]`
    if (!isProcessor(processor)) {
      const remedy = "pass what subscription, reaction, readModel, tables or workflow makes"
      return new Invalid({ field, reason: "is no processor", remedy })
    }
    if (processors.some((other, before) => before < at && other.name === processor.name)) {
      const reason = `has the name of another, ${quoted(processor.name)}`
      return new Invalid({ field, reason, remedy: "give each a name of its own" })
    }
  }
  return undefined
}
