/** The mark that every registration leaves, so that a compaction that looked before it can't be committed after it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Op } from "./draft.ts"
import type { StoreError } from "./error.ts"
import type { Kv } from "./kv.ts"
import type { Position } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

const key = "last"

const marks = (store: StoreShape): Kv<null> => store.system("$registration", Schema.Null)

/**
 * What belongs into each commit by which a reader comes to need events that it, or nobody, needed before: it is new,
 * wants others, or goes back. Nothing where nothing can be compacted anyway, which takes a commit of several parts.
 */
export const registrationOps = (store: StoreShape): ReadonlyArray<Op> =>
  store.about.lacks.has("truncate") || store.about.lacks.has("atomic") ? [] : [marks(store).ops.put(key, null)]

/**
 * Reads the last registration's mark: an op that makes a commit a `Conflict` if there was another meanwhile. To be read
 * before the readers are. Fails as every kv read.
 */
export const sameRegistrations = (store: StoreShape): Effect.Effect<Op, StoreError> =>
  Effect.map(marks(store).entry(key), (entry) =>
    marks(store).ops.check(
      key,
      Option.match(entry, {
        onNone: (): Position | "absent" => "absent",
        onSome: ({ revision }) => revision
      })
    ))
