/** After a restore: what a processor had done is taken over into the store's new history, and it goes on from there. */
import {
  type Checkpoint,
  Invalid,
  type Position,
  type StartFrom,
  type StoreError,
  type StoreShape
} from "@persist/core"
import { checkpointOf, checkpoints, staleCheckpoint, storedCheckpoint } from "@persist/core/checkpoint"
import * as Fault from "@persist/core/fault"
import { quoted } from "@persist/core/path"
import { modelOf } from "@persist/core/read-model"
import { startPosition } from "@persist/core/reader"
import { registrationOps } from "@persist/core/registration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { ownerOf } from "./known.ts"
import { instancesOf, knownProcessors } from "./names.ts"
import { listParked, spur } from "./operate.ts"
import { commandOf, isMade, type ReaderKind } from "./stale.ts"
import { timers, timersOf } from "./timers.ts"

/** How a processor is adopted. */
export interface AdoptOptions {
  /**
   * Where partitions go on whose checkpoint lies beyond the head; every other one stays where it is. Never for a read
   * model or tables, which hold what isn't in the log.
   */
  readonly from?: StartFrom | undefined
  /** Tells what would be adopted, and changes nothing. */
  readonly dryRun?: boolean | undefined
}

/** A partition that goes on in the store's history. */
export interface AdoptedPartition {
  readonly reader: string
  /** Where it goes on. */
  readonly position: Position
  /** The history that its checkpoint belonged to. */
  readonly incarnation: string
}

/** What was adopted, or would be. */
export interface Adopted {
  readonly name: string
  readonly kind: ReaderKind
  /** None where all of them belong to this history already. */
  readonly partitions: ReadonlyArray<AdoptedPartition>
  /** How many instances of a workflow go on. */
  readonly instances: number
  /** How many timers are set; those that ran out meanwhile fire at once. */
  readonly timers: number
  /** How many events stay put aside. */
  readonly parked: number
}

/**
 * Adopts into the store's present history what a processor had done in another one: it goes on from its checkpoints as
 * if nothing had been, all of its partitions in one commit, a workflow with its instances and timers, a read model with
 * its states. That is right where they were restored together with the log, as one backup holds them; a copy of a store
 * that goes its own way commands its own. What belongs to this history already stays as it is, so that doing it again
 * changes nothing. Registered readers that no runner ever ran are adopted by their names.
 *
 * Fails with `Invalid` where nobody knows it; where a checkpoint lies beyond the head and nothing says `from` where to
 * go on, or where it is a read model or tables, since what it handled is missing from the log; for `from` where none
 * does, and a place beyond the head; and as every read and commit.
 */
export const adopt = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string,
  options: AdoptOptions = {}
): Effect.fn.Return<Adopted, StoreError> {
  const wrong = Fault.optionsFault(options, ["from", "dryRun"]) ?? Fault.flagFault("dryRun", options.dryRun)
  if (wrong !== undefined) return yield* Effect.fail(wrong)
  const from = options.from === undefined ? undefined : yield* startPosition(store, options.from)
  while (true) {
    const again = yield* spur(store, name)
    const { head, kind, own } = yield* found(store, name)
    const stale = own.filter((each) => staleCheckpoint(store.about, head, each) !== undefined)
    const fault = placeFault(name, kind, head, stale, from)
    if (fault !== undefined) return yield* Effect.fail(fault)
    const placed = stale.map((each) => ({
      ...each,
      position: each.position > head ? from ?? each.position : each.position
    }))
    const adopted: Adopted = {
      name,
      kind,
      partitions: placed.map(({ incarnation, name: reader, position }) => ({ reader, position, incarnation })),
      ...yield* keptOf(store, name, kind, own)
    }
    if (options.dryRun === true || placed.length === 0) return adopted
    const done = yield* store.commit([
      // Whoever was refused it tries again.
      ...kind === "reader" ? [] : [again],
      ...placed.map((each) =>
        checkpoints(store).ops.put(
          each.name,
          storedCheckpoint(store.about, each.position, each),
          { expected: each.revision }
        )
      ),
      ...registrationOps(store)
    ])
    if (done._tag === "Committed") return adopted
  }
})

const found = Effect.fnUntraced(function*(store: StoreShape, name: string) {
  const known = Option.getOrUndefined(yield* knownProcessors(store).get(name))
  const own = (yield* Stream.runCollect(checkpoints(store).scan())).map(checkpointOf)
    .filter(({ name: reader }) =>
      known === undefined ? [reader, modelOf(reader)].includes(name) : ownerOf(reader) === name
    )
  if (known === undefined && own.length === 0) {
    return yield* Effect.fail(refused("name", `${quoted(name)} isn't known here`, "list what is"))
  }
  const kind: ReaderKind = known?.kind ?? (own.some((each) => modelOf(each.name) === name) ? "read model" : "reader")
  // Read after the checkpoints, so that none of them can rightly lie beyond it.
  return { kind, own, head: yield* store.head }
})

// A checkpoint beyond the head says that what it handled is missing from the log.
const placeFault = (
  name: string,
  kind: ReaderKind,
  head: Position,
  stale: ReadonlyArray<Checkpoint>,
  from: Position | undefined
): Invalid | undefined => {
  const beyond = stale.find(({ position }) => position > head)
  if (beyond === undefined) {
    return from === undefined
      ? undefined
      : refused("from", `${quoted(name)} has no checkpoint beyond the head, ${head}`, "leave it out, or reset it")
  }
  if (from !== undefined && !isMade(kind)) return undefined
  return refused(
    "name",
    `${quoted(beyond.name)} has come to ${beyond.position}, which is beyond the head, ${head}: ` +
      "the log isn't of the same backup, or of an older one",
    isMade(kind)
      ? `reset it (${commandOf(name, "reset")})${kind === "tables" ? " and empty its tables" : ", or rebuild it"}`
      : "restore both from one backup, or say from where it goes on: what it has done beyond that stays done"
  )
}

const keptOf = Effect.fnUntraced(function*(
  store: StoreShape,
  name: string,
  kind: ReaderKind,
  own: ReadonlyArray<Checkpoint>
): Effect.fn.Return<Pick<Adopted, "instances" | "timers" | "parked">, StoreError> {
  const aside = (yield* Stream.runCollect(listParked(store, name))).filter(({ state }) => state !== "dropped")
  if (kind !== "workflow") return { instances: 0, timers: 0, parked: aside.length }
  const set = yield* Effect.forEach(own, ({ name: reader }) => timers(store).count({ prefix: timersOf(reader) }))
  return {
    instances: yield* store.system(instancesOf(name), Schema.Unknown).count(),
    timers: set.reduce((sum, count) => sum + count, 0),
    parked: aside.length
  }
})

const refused = (field: string, reason: string, remedy: string): Invalid => new Invalid({ field, reason, remedy })
