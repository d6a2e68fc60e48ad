/** What stops a read model at an event: keys or a step that can't be used, and changes that are too much. */
import { Invalid, LimitExceeded } from "./error.ts"
import type { Event } from "./event.ts"
import type { Clash } from "./index-writes.ts"
import { quoted } from "./path.ts"

/** An event, as errors name it. */
export const place = ({ seq, stream, type }: Event): string =>
  `event ${seq} of stream ${quoted(stream)}, type ${quoted(type)}`

/** The user's function threw. */
export const threw = (field: "keys" | "step", event: Event, cause: unknown): Invalid =>
  new Invalid({
    field,
    reason: `it threw at ${place(event)}`,
    remedy: "mend the read model and run it again: it goes on with that event",
    cause
  })

/** The keys of an event are no keys. */
export const noKeys = (event: Event): Invalid =>
  new Invalid({
    field: "keys",
    reason: `it gave neither a string nor an array for ${place(event)}`,
    remedy: "return the keys that the event changes, or [] for none"
  })

/** One event changes more keys than a commit holds. */
export const tooManyKeys = (event: Event, actual: number, limit: number): LimitExceeded =>
  new LimitExceeded({
    field: `keys of ${place(event)}`,
    limit,
    actual,
    unit: "keys",
    remedy: "change fewer keys with one event: its changes are one commit"
  })

/** States and entries of indexes are more writes than a commit holds. */
export const tooManyWrites = (actual: number, limit: number): LimitExceeded =>
  new LimitExceeded({
    field: "states and index entries changed by one event",
    limit,
    actual,
    unit: "writes",
    remedy: "change fewer keys with one event, or declare fewer indexes: its changes are one commit"
  })

/** States are larger than a payload, or all of them than a commit. */
export const tooLarge = (field: string, actual: number, limit: number): LimitExceeded =>
  new LimitExceeded({ field, limit, actual, unit: "bytes", remedy: "keep less under one key, or split it by key" })

/** An event that would give two states the same values of a unique index. */
export const notUnique = (event: Event, { index, key, owner }: Clash): Invalid =>
  new Invalid({
    field: `index ${index.name}`,
    reason: `${place(event)}, would give key ${quoted(key)} the same ${index.on.join(" and ")} as key ${quoted(owner)}`,
    remedy: "expect the value unused where the event is appended; here, mend the step or give it a new version " +
      "whose index isn't unique"
  })

/** A read model that was built over other events than it is asked to be. */
export const otherEvents = (namespace: string): Invalid =>
  new Invalid({
    field: "events",
    reason: `the read model ${quoted(namespace)} was built over other types or streams`,
    remedy: "give it a new version, or rebuild it"
  })

/** A read model that was built with other indexes than it declares. */
export const otherIndexes = (namespace: string): Invalid =>
  new Invalid({
    field: "indexes",
    reason: `the read model ${quoted(namespace)} was built with other indexes`,
    remedy: "give it a new version, or rebuild it"
  })

/** A namespace of a read model that has none of it, but keys all the same. */
export const foreignKeys = (namespace: string): Invalid =>
  new Invalid({
    field: "name",
    reason: `the namespace ${quoted(namespace)} holds keys, and no checkpoint says of which events`,
    remedy: "rebuild the read model, which deletes them, or choose another name"
  })
