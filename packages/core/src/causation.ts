/** What an event says of where it came from: the event that caused it, and the whole that both belong to. */
import type { Event } from "./event.ts"

/** Where an event's meta names the event that caused it, by {@link eventId}. */
export const causationKey = "causationId"

/** Where an event's meta names what all that follows from one beginning has in common. */
export const correlationKey = "correlationId"

/** What an event is known by to those that it causes: the id it was given, otherwise its stream, a slash, its seq. */
export const eventId = ({ id, seq, stream }: Pick<Event, "id" | "seq" | "stream">): string => id ?? `${stream}/${seq}`

/** The meta that says what caused an event, under the keys that are agreed on: to be merged with any other. */
export type Causation = { readonly [correlationKey]: string; readonly [causationKey]: string }

/**
 * The meta of an event that another one has caused: its `causationId` is that one's {@link eventId}, its
 * `correlationId` the one that it carries, or, where it carries none, that same id: the beginning names the whole.
 * Nothing but what the event itself says goes into it, so that it's the same however often the event is handled.
 */
export const causedBy = (event: Pick<Event, "id" | "meta" | "seq" | "stream">): Causation => {
  const id = eventId(event)
  const carried = event.meta?.[correlationKey]
  return { [correlationKey]: typeof carried === "string" && carried !== "" ? carried : id, [causationKey]: id }
}
