/** Where what a workflow does comes from: the event that moved it, also where a timer ran out in between. */
import { type Causation, causedBy, type Event, type EventInput, spanOf, type StoreShape, traceKey } from "@persist/core"
import * as Effect from "effect/Effect"
import type { Timer } from "./timers.ts"

/** What is known of the event that was the beginning of something; nothing of one whose timer was set without it. */
export type Origin = Pick<Timer, "causation" | "traceparent">

/** What what an event leads to says of it. */
export const originOf = (event: Event): Origin => {
  const traceparent = event.meta?.[traceKey]
  return { causation: causedBy(event), ...typeof traceparent === "string" && { traceparent } }
}

/** What what a timer leads to says of the event that set it. */
export const originOfTimer = ({ causation, traceparent }: Timer): Origin => ({
  ...causation !== undefined && { causation },
  ...traceparent !== undefined && { traceparent }
})

/** An event that says what caused it, but for what it says itself; as it is in a store that keeps no meta. */
export const withCausation = <I extends EventInput>(
  { about }: StoreShape,
  event: I,
  causation: Causation | undefined
): I => {
  // What is no event, or has no object for its meta, is refused as that.
  const isFit = typeof event === "object" && event !== null &&
    (event.meta === undefined || (typeof event.meta === "object" && event.meta !== null && !Array.isArray(event.meta)))
  if (causation === undefined || !isFit || about.lacks.has("meta")) return event
  return { ...event, meta: { ...causation, ...event.meta } }
}

/** Links the current span, where there is one, to the one that appended the event by which a timer was set. */
export const linked = ({ traceparent }: Timer): Effect.Effect<void> =>
  traceparent === undefined ? Effect.void : Effect.withFiber(({ cache: { span } }) =>
    Effect.sync(() => {
      const appended = spanOf({ meta: { [traceKey]: traceparent } })
      if (span?._tag === "Span" && appended !== undefined) span.addLinks([{ span: appended, attributes: {} }])
    })
  )
