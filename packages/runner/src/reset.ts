/** Beginning again: a processor's events are handled once more, from a place that an operator chooses. */
import { type BuildOptions, Invalid, type StartFrom, type StoreError, type StoreShape } from "@persist/core"
import { checkpointOf, checkpoints, storedCheckpoint } from "@persist/core/checkpoint"
import { refuseTruncated } from "@persist/core/compacted"
import { modelNamespaces } from "@persist/core/model-namespaces"
import { quoted } from "@persist/core/path"
import { modelOf } from "@persist/core/read-model"
import { startPosition } from "@persist/core/reader"
import { registrationOps } from "@persist/core/registration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ownerOf } from "./known.ts"
import { knownProcessors } from "./names.ts"
import { spur } from "./operate.ts"
import { commandOf } from "./stale.ts"

/** Where a processor begins again. */
export interface ResetOptions extends BuildOptions {
  /** The start by default; a read model's only choice. */
  readonly from?: StartFrom | undefined
}

/**
 * Lets a processor begin again, all of its partitions in one commit: whoever runs it is fenced and goes on from there.
 * A subscription's handler is given the events again, under the same keys; what a reaction made stays, and is made
 * again; so is what went into the application's own tables, which are to be emptied first, while it is paused. A read
 * model's states are cleared, and readers see it grow (to keep the old answer until the new one is there, give it a new
 * version instead). What is parked beyond that place is met again, and what was dropped stays dropped.
 *
 * Fails with `Invalid` where nobody knows it, for a place beyond the head, for a workflow, which would command anew
 * what it has commanded, and for a read model over truncated streams without `allowTruncated`; and as every read and
 * commit.
 */
export const reset = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string,
  options: ResetOptions = {}
): Effect.fn.Return<void, StoreError> {
  const known = yield* knownProcessors(store).get(name)
  if (Option.isNone(known)) return yield* refused(name, "isn't known here", "list what is")
  const { kind } = known.value
  if (kind === "workflow") {
    return yield* refused(
      name,
      "is a workflow, and would command anew what it has commanded",
      `adopt it after a restore (${commandOf(name, "adopt")}), or give it a new name`
    )
  }
  if (kind === "read model" && options.from !== undefined && options.from !== "start") {
    return yield* refused(name, "is a read model, which is made of all of its events", "leave out where to begin")
  }
  const position = yield* startPosition(store, options.from ?? "start")
  while (true) {
    const entries = yield* Stream.runCollect(checkpoints(store).scan())
    const readers = entries.filter(({ key }) => ownerOf(key) === name)
    const kept = readers.map((entry) => checkpointOf(entry))
    if (kind === "read model" && options.allowTruncated !== true) {
      yield* Effect.forEach(kept, ({ prefix }) => refuseTruncated(store, prefix), { discard: true })
    }
    const states = yield* Effect.forEach(kept, (checkpoint) => namespacesOf(store, checkpoint.name))
    const done = yield* store.commit([
      // Whoever runs it and has nothing to save wouldn't notice otherwise.
      yield* spur(store, name),
      ...kept.map((checkpoint) =>
        checkpoints(store).ops.put(
          checkpoint.name,
          storedCheckpoint(store.about, position, checkpoint),
          { expected: checkpoint.revision }
        )
      ),
      ...registrationOps(store),
      ...states.flat().map((namespace) => store.kv(namespace).ops.clear())
    ])
    if (done._tag === "Committed") return
  }
})

const namespacesOf = (store: StoreShape, reader: string): Effect.Effect<ReadonlyArray<string>, StoreError> => {
  const namespace = modelOf(reader)
  return namespace === undefined
    ? Effect.succeed([])
    : modelNamespaces(store, { namespace, reader, readIndexes: [] })
}

const refused = (name: string, reason: string, remedy: string): Effect.Effect<never, Invalid> =>
  Effect.fail(new Invalid({ field: "name", reason: `${quoted(name)} ${reason}`, remedy }))
