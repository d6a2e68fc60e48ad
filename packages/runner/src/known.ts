/** The processors that a store knows: whoever was ever run, so that what nobody runs any more is missed. */
import { Invalid, type StoreError, type StoreShape } from "@persist/core"
import { quoted } from "@persist/core/path"
import { modelOf } from "@persist/core/read-model"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { knownProcessors } from "./names.ts"
import type { Processor } from "./processor.ts"

/** The processor of a partition's reader: a read model is known by its namespace. */
export const ownerOf = (reader: string): string => modelOf(reader) ?? /^(.*)#\d+$/s.exec(reader)?.[1] ?? reader

/**
 * Notes that processors are run, by a runner that has shown itself. Fails with `Invalid` where one has another number
 * of partitions in this store: a key's partition follows from it, so some events would be handled again and some
 * never; and as every read and commit.
 */
export const enlist = (
  store: StoreShape,
  processors: Iterable<Pick<Processor, "name" | "partitions" | "kind" | "guarantee">>
): Effect.Effect<void, StoreError> =>
  Effect.forEach(
    processors,
    Effect.fnUntraced(function*({ guarantee, kind, name, partitions }): Effect.fn.Return<void, StoreError> {
      const known = yield* knownProcessors(store).entry(name)
      if (Option.isSome(known) && known.value.value.partitions !== partitions) {
        return yield* Effect.fail(otherPartitions(name, known.value.value.partitions, partitions))
      }
      // Written even where it says so already: whoever is about to forget it finds that somebody runs it.
      const expected = Option.match(known, { onNone: () => "absent" as const, onSome: ({ revision }) => revision })
      const noted = yield* knownProcessors(store).put(name, { partitions, kind, guarantee }, { expected })
      if (noted._tag === "Conflict") yield* enlist(store, [{ name, partitions, kind, guarantee }])
    }),
    { discard: true }
  )

const otherPartitions = (name: string, known: number, asked: number): Invalid =>
  new Invalid({
    field: "partitions",
    reason: `${quoted(name)} has ${known} in this store, and ${asked} are asked for`,
    remedy: "keep their number or choose another name; to begin again from its start, forget it first"
  })
