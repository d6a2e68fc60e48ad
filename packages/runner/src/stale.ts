/** Checkpoints that mean nothing in the store they lie in, as after a restore, and what each kind of reader needs. */
import { Corrupt, Position, type StoreError, type StoreShape } from "@persist/core"
import { checkpointOf, checkpointPlace, checkpoints, staleCheckpoint } from "@persist/core/checkpoint"
import { modelOf } from "@persist/core/read-model"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ownerOf } from "./known.ts"
import { knownProcessors } from "./names.ts"
import { partitionsOf } from "./partition.ts"
import type { Processor, ProcessorKind } from "./processor.ts"

/** What has a checkpoint: a processor, by its kind, or a `reader` that no runner ever ran. */
export type ReaderKind = ProcessorKind | "reader"

/** What a reader needs whose checkpoint means nothing here: to go on from it all the same, or to begin again. */
export type Need = "adopt" | "reset"

/** Whether what a kind has made so far must be as old as its checkpoint, and can be made again. */
export const isMade = (kind: ReaderKind): boolean => kind === "read model" || kind === "tables"

/**
 * What is the least that mends it. What a read model lacks is made again; where events are missing that were handled,
 * only what can't begin again is adopted, from a place that is there.
 */
export const needOf = (kind: ReaderKind, position: Position, head: Position): Need =>
  kind === "read model" || (position > head && kind !== "workflow" && kind !== "reader") ? "reset" : "adopt"

/** The command that does it. */
export const commandOf = (name: string, need: Need): string =>
  `persist projections ${need} ${/^[\w@./:+-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`}`

/** A processor, or a reader, whose checkpoints mean nothing in their store. */
export interface Stale {
  readonly name: string
  readonly kind: ReaderKind
  /** Those of its partitions' readers. */
  readonly readers: ReadonlyArray<string>
  readonly needs: Need
}

/** Lists who needs something after a restore, by name, and what. Fails as every read. */
export const listStale = Effect.fnUntraced(function*(
  store: StoreShape
): Effect.fn.Return<ReadonlyArray<Stale>, StoreError> {
  const kinds = new Map(
    (yield* Stream.runCollect(knownProcessors(store).scan())).map(({ key, value }) => [key, value.kind])
  )
  const all = (yield* Stream.runCollect(checkpoints(store).scan())).map(checkpointOf)
  // Read after the checkpoints, so that none of them can rightly lie beyond it.
  const head = yield* store.head
  const found = new Map<string, Stale>()
  for (const checkpoint of all) {
    if (staleCheckpoint(store.about, head, checkpoint) === undefined) continue
    const { name: reader, position } = checkpoint
    const owner = ownerOf(reader)
    // The name of one that no runner ever ran may look like that of a partition.
    const name = kinds.has(owner) ? owner : modelOf(reader) ?? reader
    const kind = kinds.get(owner) ?? (modelOf(reader) === undefined ? "reader" : "read model")
    const before = found.get(name)
    // What no runner knows none can reset.
    const own = kinds.has(owner) ? needOf(kind, position, head) : "adopt"
    const needs = before?.needs === "reset" ? before.needs : own
    found.set(name, { name, kind, readers: [...before?.readers ?? [], reader], needs })
  }
  return Array.from(found.values()).sort((a, b) => a.name < b.name ? -1 : 1)
})

/** What to do about it, in words. */
const remedyOf = (kind: ReaderKind, name: string, position: Position, head: Position): string => {
  const command = commandOf(name, needOf(kind, position, head))
  if (position > head) {
    if (kind === "workflow") return `adopt it from a place that is there (${command} --from POSITION)`
    return kind === "tables" ? `pause it, reset it (${command}) and empty its tables` : `reset it (${command})`
  }
  switch (kind) {
    case "workflow":
      return `adopt it (${command}): it goes on from there with its instances and timers`
    case "read model":
      return `reset it (${command}), which makes it again; or adopt it, if its states were restored with the log`
    case "tables":
      return `adopt it (${command}), if its tables were restored with the log; otherwise reset it and empty them`
    default:
      return `adopt it (${command}), to go on from there; or reset it, to begin elsewhere`
  }
}

/** The same, but for the remedy of a failure that says that a partition's checkpoint means nothing: its kind's own. */
export const withOwnRemedy = <A, R>(
  store: StoreShape,
  { kind, name, partitions, readerOf }: Pick<Processor, "kind" | "name" | "partitions" | "readerOf">,
  effect: Effect.Effect<A, StoreError, R>
): Effect.Effect<A, StoreError, R> =>
  Effect.catchTag(
    effect,
    "Corrupt",
    Effect.fnUntraced(function*(error): Effect.fn.Return<never, StoreError> {
      const reader = partitionsOf(partitions).map(readerOf).find((each) => checkpointPlace(each) === error.where)
      const found = reader === undefined ? Option.none() : yield* checkpoints(store).entry(reader)
      if (Option.isNone(found)) return yield* Effect.fail(error)
      const { reason, where } = error
      const remedy = remedyOf(kind, name, Position(found.value.value.position), yield* store.head)
      return yield* Effect.fail(new Corrupt({ where, reason, remedy }))
    })
  )
