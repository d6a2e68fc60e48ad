/** The health of processors as metrics, for whoever keeps figures over time and calls people at night. */
import { Invalid, mustReopen, type StoreError, type StoreShape } from "@persist/core"
import * as Fault from "@persist/core/fault"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { type Health, type PartitionHealth, type ProcessorHealth, watchHealth } from "./health.ts"
import { indexOf } from "./partition.ts"

/** How often the health is looked at. */
export interface ObserveHealthOptions {
  /** Milliseconds between two looks; 10,000 by default. A look reads what `health` reads. */
  readonly every?: number | undefined
}

/**
 * Keeps Effect's metrics at what `health` says, until it's interrupted; which ones those are is in `docs/telemetry.md`.
 * What is gone, such as a processor that was forgotten, goes from the metrics; while the store can't be reached, they
 * all do: old figures would say that it's well. Fails with `Invalid` for a wrong option, and as every read but for
 * `Unavailable`, unless that says `reopen`, and `OutcomeUnknown`, after which it looks again.
 */
export const observeHealth = (
  store: StoreShape,
  { every = 10_000 }: ObserveHealthOptions = {}
): Effect.Effect<never, StoreError> => {
  const fault = Fault.millisFault("every", every) ??
    (every > 0 ? undefined : new Invalid({ field: "every", reason: "is 0", remedy: "leave it out for 10,000" }))
  if (fault !== undefined) return Effect.fail(fault)
  return Effect.flatMap(watchHealth(store), (health) =>
    Effect.contextWith((context: Context.Context<never>) => {
      const shown = new Shown(context)
      const away = (error: StoreError) =>
        mustReopen(error)
          ? Effect.fail(error)
          : Effect.andThen(Effect.sync(() => shown.show([])), Effect.logDebug("the health can't be read", error))
      const look = Effect.map(health, (found) => shown.show(figuresOf(found))).pipe(
        Effect.catchTags({ Unavailable: away, OutcomeUnknown: away })
      )
      return Effect.onExit(
        Effect.forever(Effect.andThen(look, Effect.sleep(every))),
        () => Effect.sync(() => shown.show([]))
      )
    }))
}

const gauge = (name: string, unit: string, description: string): Metric.Gauge<number> =>
  Metric.gauge(name, { description, attributes: { unit } })

const gauges = {
  head: gauge("persist.head", "{position}", "The last position given out in the store"),
  alive: gauge("persist.runner.alive", "1", "1 where a runner has shown itself within its patience, otherwise 0"),
  healthy: gauge("persist.processor.healthy", "1", "1 where every partition is run and nothing is parked, otherwise 0"),
  parked: gauge("persist.processor.parked", "{event}", "Events that are parked, or wait behind one"),
  partitions: gauge("persist.processor.partitions", "{partition}", "Partitions, by their state"),
  lag: gauge(
    "persist.processor.lag.positions",
    "{position}",
    "How far a partition is behind the head; 0 with nothing left"
  ),
  lagTime: gauge("persist.processor.lag.time", "s", "How old the first event is that a partition has left"),
  held: gauge("persist.processor.alive", "1", "1 where the runner that has a partition's lease is alive, otherwise 0"),
  rate: gauge("persist.processor.rate", "{event}/s", "Events a second that a partition handles, of late"),
  failed: gauge(
    "persist.processor.error.time",
    "s",
    "When a partition failed last, in seconds since 1970, while it counts"
  )
}

/** One value of one series. */
interface Figure {
  readonly of: Metric.Gauge<number>
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const figuresOf = ({ head, processors, runners }: Health): ReadonlyArray<Figure> => [
  { of: gauges.head, labels: {}, value: head },
  // Two have one label where somebody began again under the name of one that died.
  ...Array.from(new Set(runners.map(({ label }) => label)), (runner) => ({
    of: gauges.alive,
    labels: { runner },
    value: runners.some(({ alive, label }) => label === runner && alive) ? 1 : 0
  })),
  ...processors.flatMap(ofProcessor)
]

const ofProcessor = ({ healthy, name: processor, parked, partitions }: ProcessorHealth): ReadonlyArray<Figure> => {
  const states = new Set(partitions.map(({ state }) => state))
  return [
    { of: gauges.healthy, labels: { processor }, value: healthy ? 1 : 0 },
    { of: gauges.parked, labels: { processor }, value: parked },
    ...Array.from(states, (state) => ({
      of: gauges.partitions,
      labels: { processor, state },
      value: partitions.filter((one) => one.state === state).length
    })),
    ...partitions.flatMap((partition) => ofPartition(processor, partition))
  ]
}

const ofPartition = (
  processor: string,
  { error, lag, lagTime, rate, reader, runner }: PartitionHealth
): ReadonlyArray<Figure> => {
  const labels = { processor, partition: String(indexOf(reader)) }
  const holder = runner === undefined ? labels : { ...labels, runner: runner.label }
  return [
    // What means nothing has no figure.
    ...lag === undefined ? [] : [{ of: gauges.lag, labels, value: lag }],
    { of: gauges.lagTime, labels, value: lagTime / 1000 },
    { of: gauges.held, labels: holder, value: runner?.alive === true ? 1 : 0 },
    { of: gauges.rate, labels, value: rate },
    ...error === undefined
      ? []
      : [{ of: gauges.failed, labels: { ...labels, "error.type": typeOf(error.error) }, value: error.at / 1000 }]
  ]
}

// An error begins with its name. What follows is without number, and may be anything.
const typeOf = (error: string): string => /^[\w$.]{1,64}(?=: )/.exec(error)?.[0] ?? "Error"

/** The series that are shown. */
class Shown {
  private shown: ReadonlyMap<string, Metric.Metric<number, unknown>> = new Map()
  private readonly context: Context.Context<never>

  constructor(context: Context.Context<never>) {
    this.context = context
  }

  /** Shows these figures, and no longer those that aren't among them. */
  show(figures: ReadonlyArray<Figure>): void {
    const next = new Map<string, Metric.Metric<number, unknown>>()
    for (const { labels, of, value } of figures) {
      const series = Metric.withAttributes(of, labels)
      next.set(JSON.stringify([of.id, labels]), series)
      series.updateUnsafe(value, this.context)
    }
    for (const [key, series] of this.shown) if (!next.has(key)) Metric.removeUnsafe(series, this.context)
    this.shown = next
  }
}
