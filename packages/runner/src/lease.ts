/** Leases: one owner for each partition, and nobody who writes after having lost it. */
import { type Checkpoint, checkpointOp, type Entry, Position, type StoreError, type StoreShape } from "@persist/core"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Lease, leases, type RunnerRecord, runners } from "./names.ts"

/** Who asks for a lease: a registered runner, as its record is now. */
export interface Asking {
  readonly id: string
  readonly revision: Position
}

/** Whoever has a lease now, as both were seen. */
export interface Seen {
  readonly lease: Entry<Lease> | undefined
  /** The record of the lease's runner; `undefined` where there is none. */
  readonly holder: Entry<RunnerRecord> | undefined
}

/**
 * Takes the lease of a partition in one commit that fences whoever had it: its checkpoint is written again, so that
 * what the former owner still commits is a conflict. Answers the checkpoint to go on from; `undefined` where anything
 * was not as it was seen, above all where the former owner has shown itself since. Fails as every commit.
 */
export const takeLease = (
  store: StoreShape,
  { id, revision }: Asking,
  checkpoint: Checkpoint,
  { holder, lease }: Seen
): Effect.Effect<Checkpoint | undefined, StoreError> =>
  Effect.flatMap(Clock.currentTimeMillis, (since) => {
    const former = lease?.value.runner
    const ops = [
      checkpointOp(store, checkpoint, checkpoint.position),
      leases(store).ops.put(checkpoint.name, { runner: id, since }, { expected: lease?.revision ?? "absent" }),
      runners(store).ops.check(id, revision),
      ...former === undefined || former === id
        ? []
        : [runners(store).ops.check(former, holder?.revision ?? "absent")]
    ]
    return Effect.map(store.commit(ops), (outcome) =>
      outcome._tag === "Conflict"
        ? undefined
        // The checkpoint is the commit's first write.
        : { ...checkpoint, updatedAt: since, revision: outcome.revisions[0] ?? outcome.position })
  })

/** Gives back the leases that a runner has. Fails as every read and commit. */
export const giveBack = Effect.fnUntraced(function*(store: StoreShape, id: string, readers: ReadonlyArray<string>) {
  const held = yield* leases(store).getMany(readers)
  const ops = held.flatMap((entry) =>
    entry._tag === "Some" && entry.value.value.runner === id
      ? [leases(store).ops.delete(entry.value.key, { expected: entry.value.revision })]
      : []
  )
  // A conflict says that one of them is another's by now: then nothing was given back, but for the next look to do.
  if (ops.length > 0) yield* store.commit(ops)
})
