/** Timers that workflows have set, kept in the store in the order in which they run out. */
import type { Kv, StoreShape } from "@persist/core"
import * as Schema from "effect/Schema"

const TimerSchema = Schema.Struct({ instance: Schema.String, timer: Schema.String, at: Schema.Natural })

/** A timer that was set. */
export type Timer = typeof TimerSchema.Type

/** The timers of a store, by {@link timerKey}. */
export const timers = (store: StoreShape): Kv<Timer> => store.system("$timer", TimerSchema)

/** What the keys of a partition's timers begin with; quoted, so that it begins no other's name. */
export const timersOf = (reader: string): string => `${JSON.stringify(reader)}/`

/** Where a timer is: those of a partition's reader together, what is due first first. */
export const timerKey = (reader: string, at: number, instance: string, timer: string): string =>
  `${timersOf(reader)}${String(at).padStart(16, "0")}/${JSON.stringify([instance, timer])}`
