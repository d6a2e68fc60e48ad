/** What a partition's run lets others see of its work: a span for each stretch of events, and counters. */
import type { Fenced, StoreError } from "@persist/core"
import { isTraced, spanOf } from "@persist/core/trace"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import type { Keyed } from "./parked.ts"
import { indexOf } from "./partition.ts"

/** What came of some events that were handled together. */
export interface Stretch {
  /** How many of them, from the first, are done with. */
  readonly count: number
  /** Why the next one isn't. */
  readonly failed: Cause.Cause<unknown> | undefined
  /** Somebody else has the partition: nothing of it happened. */
  readonly fenced: Fenced | undefined
}

/** Most spans that one links to, as many as OpenTelemetry keeps unless it's told otherwise. */
const mostLinks = 128

const handledEvents = Metric.counter("persist.processor.events", {
  description: "Events that this process has handled",
  attributes: { unit: "{event}" },
  incremental: true
})

const failures = Metric.counter("persist.processor.failures", {
  description: "Attempts at an event that have failed in this process",
  attributes: { unit: "{attempt}" },
  incremental: true
})

/** The work of one partition, as it's seen. Costs nothing where nobody traces, but for two counters. */
export class Sight {
  /** How many events were handled in this run. */
  count = 0
  /** Counts a failed attempt. */
  readonly failed: Effect.Effect<void>
  private readonly events: Metric.Metric<number, unknown>
  private readonly name: string
  private readonly attributes: Readonly<Record<string, unknown>>

  constructor(processor: string, reader: string) {
    const labels = { processor, partition: String(indexOf(reader)) }
    this.events = Metric.withAttributes(handledEvents, labels)
    this.failed = Metric.update(Metric.withAttributes(failures, labels), 1)
    // As OpenTelemetry names what consumes messages.
    this.name = `process ${processor}`
    this.attributes = {
      "messaging.system": "persist",
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.consumer.group.name": processor,
      "messaging.destination.partition.id": labels.partition
    }
  }

  /** Counts events that were handled. */
  handled(count: number): Effect.Effect<void> {
    this.count += count
    return Metric.update(this.events, count)
  }

  /**
   * Handles events, from one on, in a span that links to those that appended what it is done with, or fails at: they
   * may be many, and of long ago.
   */
  stretch<R>(
    events: ReadonlyArray<Keyed>,
    from: number,
    work: Effect.Effect<Stretch, StoreError, R>
  ): Effect.Effect<Stretch, StoreError, R> {
    return this.inSpan(work, (span, { count, failed }) => {
      const met = events.slice(from, from + count + (failed === undefined ? 0 : 1))
      span.attribute("messaging.batch.message_count", met.length)
      const [first, last] = [met[0], met.at(-1)]
      if (first !== undefined) span.attribute("persist.position.first", first.event.position)
      if (last !== undefined) span.attribute("persist.position.last", last.event.position)
      span.addLinks(linksTo(met))
    })
  }

  /** Does what was due in a span of its own. */
  alarm<R>(work: Effect.Effect<Stretch, StoreError, R>): Effect.Effect<Stretch, StoreError, R> {
    return this.inSpan(work, (span) => span.attribute("persist.timer", true))
  }

  private inSpan<R>(
    work: Effect.Effect<Stretch, StoreError, R>,
    tell: (span: Tracer.Span, stretch: Stretch) => void
  ): Effect.Effect<Stretch, StoreError, R> {
    return Effect.withFiber((fiber) => {
      if (!isTraced(fiber)) return work
      const own = Effect.makeSpan(this.name, { kind: "consumer", attributes: this.attributes })
      return Effect.flatMap(
        own,
        (span) =>
          Effect.onExit(Effect.withParentSpan(work, span), (exit) =>
            Effect.map(Clock.currentTimeNanos, (now) => {
              if (Exit.isSuccess(exit)) tell(span, exit.value)
              const failed = Exit.isSuccess(exit) ? exit.value.failed : undefined
              span.end(now, failed === undefined ? exit : Exit.failCause(failed))
            }))
      )
    })
  }
}

/**
 * Does something outside the caller's trace, in the same tracer, so that each of its spans begins a trace: what never
 * ends, such as a runner, would make the caller's one of signs of life without end.
 */
export const outsideTraces = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.updateContext(
    effect,
    // Nothing that was asked for is taken out: a parent span may always be missing.
    (context: Context.Context<R>) => Context.omit(Tracer.ParentSpan)(context) as Context.Context<R>
  )

const linksTo = (events: ReadonlyArray<Keyed>): ReadonlyArray<Tracer.SpanLink> => {
  const links = new Map<string, Tracer.SpanLink>()
  for (const { event } of events) {
    if (links.size === mostLinks) break
    const span = spanOf(event)
    if (span === undefined || links.has(span.spanId)) continue
    links.set(span.spanId, { span, attributes: { "persist.position": event.position } })
  }
  return Array.from(links.values())
}
