/** Keeping a read model: state and checkpoint move in one commit, so that each event takes effect exactly once. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Page } from "./backend.ts"
import type { Catalogue, EventOf } from "./catalogue.ts"
import {
  type Checkpoint,
  checkpoints,
  type Fenced,
  readCheckpoint,
  type ReaderFilter,
  sameFilter,
  storedCheckpoint
} from "./checkpoint.ts"
import { refuseTruncated } from "./compacted.ts"
import { unconditional } from "./engine.ts"
import { type StoreError, Unavailable } from "./error.ts"
import { consume, type EventSource, eventSource, followPages, pagesTo } from "./event-pages.ts"
import * as Fault from "./fault.ts"
import { until } from "./follow.ts"
import { foreignKeys, otherEvents, otherIndexes } from "./model-fault.ts"
import { modelNamespaces, type ModelPlace } from "./model-namespaces.ts"
import { type Room, States } from "./model-states.ts"
import { quoted } from "./path.ts"
import { utf8Bytes } from "./payload.ts"
import { Progress, wakeUpsEnded } from "./progress.ts"
import { indexForms, sameForms } from "./read-index.ts"
import type { ReadModel } from "./read-model.ts"
import { enrol } from "./reader.ts"
import { registrationOps } from "./registration.ts"
import { origin, Position, type PositionInput, unbounded } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** How a read model may be built. */
export interface BuildOptions {
  /**
   * Builds from zero even where events of its streams were truncated or deleted, from what is left. Otherwise that is
   * refused, since the answer would differ from the one a full log gives.
   */
  readonly allowTruncated?: boolean | undefined
}

/** How long to wait for a read model. */
export interface WaitOptions {
  /** How many milliseconds until it fails with `Unavailable`. Default 5,000. */
  readonly within?: number | undefined
}

/** A read model has come as far as the store had when it began. */
export interface CaughtUp {
  readonly _tag: "CaughtUp"
  /** Everything at or below it has taken effect. */
  readonly position: Position
  /** How many events took effect now. */
  readonly events: number
  /** How many keys were put or deleted for them, each once a commit. */
  readonly writes: number
}

/**
 * Keeps a read model: folds what's there, then what comes, until it is interrupted or fails. States and checkpoint move
 * in one commit, so each event takes effect exactly once, whatever ends the run and however many run the same model:
 * it goes on from its checkpoint, and of two that do so together one is `Fenced`, and stops.
 *
 * Fails with `Invalid` for a model built over other events or with other indexes under the same version, a namespace
 * that already holds keys of somebody else, truncated streams where it starts from zero without `allowTruncated`, and a
 * model that throws, gives what its schema or its indexes don't take, or gives two states the same values of a unique
 * index: then everything before that event is committed. `LimitExceeded` where one event changes more than a commit can
 * hold, or an index entry would be longer than a key may be, `Corrupt` where its checkpoint belongs to another history
 * of the store (rebuild it), a stored state doesn't fit its schema or an event can't be decoded; and as every read and
 * commit.
 */
export const runReadModel = <C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  options?: BuildOptions
): Effect.Effect<Fenced, StoreError> =>
  Effect.flatMap(begin(store, model, options), ({ checkpoint, source }) => {
    const keeper = new Keeper(store, model, checkpoint)
    return Effect.flatMap(
      consume(followPages(store, source, checkpoint.position), (page) => keeper.take(page)),
      (fenced) => fenced === undefined ? wakeUpsEnded(store) : Effect.succeed(fenced)
    )
  })

/** Brings a read model to the head as it is now, and stops there. Fails as {@link runReadModel}. */
export const catchUp = <C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  options?: BuildOptions
): Effect.Effect<CaughtUp | Fenced, StoreError> =>
  Effect.flatMap(begin(store, model, options), ({ checkpoint, source }) =>
    Effect.flatMap(store.head, (head) => {
      const keeper = new Keeper(store, model, checkpoint)
      return Effect.map(
        consume(pagesTo(source, checkpoint.position, head), (page) => keeper.take(page)),
        (fenced) => fenced ?? { _tag: "CaughtUp", position: head, events: keeper.events, writes: keeper.writes }
      )
    }))

/**
 * Builds a read model again from zero: clears its keys and its checkpoint in one commit, fences whoever is running it,
 * then catches up. A crash anywhere leaves a model that any run completes. Readers see it grow; to keep the old answer
 * until the new one is there, give the model a new version instead. Fails as {@link runReadModel}, before it clears
 * anything where the options or truncated streams forbid it.
 */
export const rebuild = <C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  options?: BuildOptions
): Effect.Effect<CaughtUp | Fenced, StoreError> =>
  Effect.gen(function*() {
    const { filter } = yield* prepare(store, model, options)
    if (options?.allowTruncated !== true) yield* refuseTruncated(store, filter.prefix)
    const registered = { ...filter, indexes: indexForms(model.readIndexes) }
    const namespaces = yield* modelNamespaces(store, model)
    yield* unconditional(store.commit([
      checkpoints(store).ops.put(model.reader, storedCheckpoint(store.about, origin, registered)),
      ...registrationOps(store),
      ...namespaces.map((namespace) => store.kv(namespace).ops.clear())
    ]))
    return yield* catchUp(store, model, options)
  })

/**
 * Waits until a read model shows everything at or below a position, such as that of your own last append. Fails with
 * `Unavailable` when it hasn't within the time given (is it running?), `Invalid` for what is no position, `Corrupt`
 * where its checkpoint belongs to another history of the store, and as every read.
 */
export const waitFor = <C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  position: PositionInput,
  options: WaitOptions = {}
): Effect.Effect<void, StoreError> =>
  Effect.gen(function*() {
    const { within = 5000 } = options
    const fault = Fault.optionsFault(options, ["within"]) ?? Fault.counterFault("within", within) ??
      Fault.counterFault("position", position)
    if (fault !== undefined) return yield* Effect.fail(fault)
    const source = yield* Effect.fromResult(eventSource(store, model.events, { prefix: model.prefix }))
    // A position that the store itself hasn't reached may still bring events.
    const there = Effect.flatMap(store.head, (head) =>
      head < position ? Effect.succeed(false) : reached(store, model.reader, source, Position(position)))
    yield* until(store.engine, there, within, () =>
      notReached(model.namespace, position, within))
  })

const notReached = (namespace: string, position: number, within: number): Unavailable =>
  new Unavailable({
    operation: "waitFor",
    reason: `the read model ${quoted(namespace)} has not come to position ${position} within ${within} ms`,
    remedy: "check that it is running, or wait longer"
  })

// A checkpoint isn't moved for every stretch without events of the model's own: being behind with none of them is
// being there.
const reached = <E>(
  store: StoreShape,
  reader: string,
  source: EventSource<E>,
  position: Position
): Effect.Effect<boolean, StoreError> =>
  Effect.flatMap(readCheckpoint(store, reader), (found) => {
    const saved = Option.isSome(found) ? found.value.position : origin
    return saved >= position
      ? Effect.succeed(true)
      : Effect.map(source.next(saved, position), (next) => next === undefined)
  })

/** A read model's events, and how far it has come. */
export interface Begun<E> {
  readonly checkpoint: Checkpoint
  readonly source: EventSource<E>
}

const prepare = <C extends Catalogue, A>(
  store: StoreShape,
  { events, prefix }: ReadModel<C, A>,
  options: BuildOptions | undefined
): Effect.Effect<EventSource<EventOf<C>>, StoreError> =>
  Effect.suspend(() => {
    const fault = Fault.optionsFault(options, ["allowTruncated"]) ??
      Fault.flagFault("allowTruncated", options?.allowTruncated)
    return fault === undefined ? Effect.fromResult(eventSource(store, events, { prefix })) : Effect.fail(fault)
  })

/** Registers a read model's reader, or finds it registered. Fails as {@link runReadModel} before it reads an event. */
export const begin = Effect.fnUntraced(function*<C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>,
  options: BuildOptions | undefined
): Effect.fn.Return<Begun<EventOf<C>>, StoreError> {
  const source = yield* prepare(store, model, options)
  const { filter } = source
  const truncated = options?.allowTruncated === true ? Effect.void : refuseTruncated(store, filter.prefix)
  let found = yield* readCheckpoint(store, model.reader)
  if (Option.isNone(found)) {
    const taken = yield* takenNamespace(store, model)
    // Keys that somebody put who has begun meanwhile are the model's own.
    found = taken === undefined ? found : yield* readCheckpoint(store, model.reader)
    if (Option.isNone(found)) {
      if (taken !== undefined) return yield* foreignKeys(taken)
      yield* truncated
    }
  }
  if (Option.isSome(found) && !sameFilter(found.value, filter)) return yield* otherEvents(model.namespace)
  const indexes = indexForms(model.readIndexes)
  const checkpoint = yield* enrol(store, model.reader, "start", { ...filter, indexes })
  if (!sameForms(checkpoint.indexes ?? [], indexes)) return yield* otherIndexes(model.namespace)
  // Once more: from its registration on compaction leaves alone what it has not read, before that it didn't.
  if (checkpoint.position === origin) yield* truncated
  return { checkpoint, source }
})

/**
 * Fails with `Invalid` where a read model was built over other events, or with other indexes, under the same version;
 * whatever history its checkpoint belongs to. Otherwise as every read.
 */
export const refuseOther = Effect.fnUntraced(function*<C extends Catalogue, A>(
  store: StoreShape,
  model: ReadModel<C, A>
): Effect.fn.Return<void, StoreError> {
  const { filter } = yield* prepare(store, model, undefined)
  const found = yield* checkpoints(store).entry(model.reader)
  if (Option.isNone(found)) return
  const { indexes = [], prefix, types } = found.value.value
  if (!sameFilter({ prefix, types }, filter)) return yield* otherEvents(model.namespace)
  if (!sameForms(indexes, indexForms(model.readIndexes))) return yield* otherIndexes(model.namespace)
})

/** A namespace of a model that holds keys already. */
const takenNamespace = Effect.fnUntraced(function*(
  store: StoreShape,
  model: ModelPlace
): Effect.fn.Return<string | undefined, StoreError> {
  for (const namespace of yield* modelNamespaces(store, model)) {
    if ((yield* store.kv(namespace).count({ limit: 1 })) > 0) return namespace
  }
  return undefined
})

/** What a commit has for a read model's states, beside its checkpoint. */
export const roomForStates = ({ about }: StoreShape, checkpoint: ReaderFilter): Room => ({
  bytes: about.limits.commitBytes - utf8Bytes(JSON.stringify(storedCheckpoint(about, unbounded, checkpoint))),
  writes: about.limits.commitEvents - 1
})

/** Takes pages into a read model. */
class Keeper<C extends Catalogue, A> {
  events = 0
  writes = 0
  private readonly progress: Progress
  private readonly states: States<C, A>

  constructor(store: StoreShape, model: ReadModel<C, A>, checkpoint: Checkpoint) {
    this.progress = new Progress(store, checkpoint)
    this.states = new States(store, model, roomForStates(store, checkpoint))
  }

  /** Folds and commits a page, in as many commits as it takes. */
  readonly take = Effect.fnUntraced({ self: this }, function*(
    { items, through }: Page<EventOf<C>>
  ): Effect.fn.Return<Fenced | undefined, StoreError> {
    if (items.length === 0) return this.progress.passed(through) ? yield* this.progress.save(through) : undefined
    let start = 0
    while (start < items.length) {
      const folded = yield* this.states.fold(items, start)
      const next = start + folded.count
      const position = next === items.length ? through : items[next - 1]?.position ?? through
      const fenced = yield* this.progress.save(position, [this.states.op(folded)])
      if (fenced !== undefined) return fenced
      this.states.committed(folded)
      this.events += folded.count
      this.writes += folded.changed.length
      start = next
    }
    return undefined
  })
}
