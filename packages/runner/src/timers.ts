/** Timers that workflows have set, kept in the store in the order in which they run out. */
import type { Kv, StoreShape } from "@persist/core"
import * as Schema from "effect/Schema"

const TimerSchema = Schema.Struct({
  instance: Schema.String,
  timer: Schema.String,
  at: Schema.Natural,
  /** What the event that set it says of where it came from: so does what its running out commands. */
  causation: Schema.optionalKey(Schema.Struct({ correlationId: Schema.String, causationId: Schema.String })),
  /** The span that appended that event. */
  traceparent: Schema.optionalKey(Schema.String)
})

/** A timer that was set. */
export type Timer = typeof TimerSchema.Type

/** The timers of a store, by {@link timerKey}. */
export const timers = (store: StoreShape): Kv<Timer> => store.system("$timer", TimerSchema)

/** What the keys of a partition's timers begin with; quoted, so that it begins no other's name. */
export const timersOf = (reader: string): string => `${JSON.stringify(reader)}/`

/** Where a timer is: those of a partition's reader together, what is due first first. */
export const timerKey = (reader: string, at: number, instance: string, timer: string): string =>
  `${timersOf(reader)}${String(at).padStart(16, "0")}/${JSON.stringify([instance, timer])}`
