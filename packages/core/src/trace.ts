/** Traces across processes and time: an event carries the span that appended it, for whoever handles it to link to. */
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import type { Limits } from "./backend.ts"
import type { Commit, NewEvent } from "./commit.ts"
import type { Event } from "./event.ts"
import { payloadBytes } from "./payload.ts"

/** Where an event's meta has the span that appended it, in the form of W3C Trace Context, level 1. */
export const traceKey = "traceparent"

/** Whether somebody takes in the spans that are made here: Effect's own tracer keeps them for nobody. */
export const isTraced = ({ cache }: Fiber.Fiber<unknown, unknown>): boolean =>
  cache.tracer !== undefined && cache.tracer !== Tracer.nativeTracer && cache.tracerEnabled

/** A span as `traceparent` has it; `undefined` for one that is not recorded: nothing could be found under it. */
export const traceparentOf = ({ sampled, spanId, traceId }: Tracer.AnySpan): string | undefined => {
  const text = `00-${traceId.padStart(32, "0")}-${spanId}-01`
  return sampled && form.test(text) ? text : undefined
}

/** The span that an event says appended it; `undefined` where it says none, or none that was recorded. */
export const spanOf = ({ meta }: Pick<Event, "meta">): Tracer.ExternalSpan | undefined => {
  const text = meta?.[traceKey]
  const [, traceId, spanId, flags] = typeof text === "string" ? form.exec(text) ?? [] : []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  return (Number.parseInt(flags, 16) & 1) === 1 ? Tracer.externalSpan({ traceId, spanId }) : undefined
}

// Ids of zeros alone are none; later versions may have more after the flags.
const form = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:$|-)/

/**
 * A commit whose events carry the span that appends them, but for those that carry one already. Where that would take
 * it beyond what the store takes, it stays as it is: being traced is no reason to be refused.
 */
export const carrying = (
  { bytes, commit }: { readonly commit: Commit; readonly bytes: number },
  traceparent: string,
  { commitBytes, payloadBytes: most }: Limits
): { readonly commit: Commit; readonly bytes: number } => {
  let added = 0
  const carried = (event: NewEvent): NewEvent => {
    const meta = withTrace(event.meta, traceparent)
    if (meta === event.meta || payloadBytes(meta) > most) return event
    added += payloadBytes(meta) - (event.meta === undefined ? 0 : payloadBytes(event.meta))
    return { ...event, meta }
  }
  const append = commit.append.map(({ events: [first, ...rest], stream }) => ({
    stream,
    events: [carried(first), ...rest.map(carried)] as const
  }))
  return bytes + added > commitBytes ? { commit, bytes } : { commit: { ...commit, append }, bytes: bytes + added }
}

const withTrace = (meta: string | undefined, traceparent: string): string => {
  const own = `"${traceKey}":"${traceparent}"`
  if (meta === undefined) return `{${own}}`
  // Parsed only where it may be there: this is the stored form, which is JSON.
  if (meta.includes(`"${traceKey}"`) && Object.hasOwn(JSON.parse(meta), traceKey)) return meta
  return `${meta.slice(0, -1)},${own}}`
}
