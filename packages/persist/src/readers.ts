/** Subscriptions, read models and registered readers of a store, as Promises and async iterables. */
import * as Core from "@persist/core"
import { Invalid } from "@persist/core"
import type {
  BuildOptions,
  Catalogue,
  CaughtUp,
  Checkpoint,
  EventOf,
  Fenced,
  Op,
  Page,
  Position,
  PositionInput,
  Query,
  QueryPage,
  Reader,
  ReadModel,
  RegisterOptions,
  StartFrom,
  StoreShape,
  SubscribeOptions,
  SubscriptionOptions,
  Version,
  WaitOptions
} from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Following, following } from "./reading.ts"
import { type Abortable, call, callPlain, split } from "./run.ts"
import { answerTo, type Running, start, type Thrown } from "./running.ts"
import { promiseStrong, type StrongReads } from "./strong.ts"
import type { Surroundings } from "./surroundings.ts"

/**
 * What a durable subscription does with each thing it's handed; what it answers is waited for, so it must not itself
 * wait for the subscription's end: see {@link Running.stop}.
 */
export interface Handling<A> {
  readonly handle: (received: A) => unknown
}

/** The verbs of a store that follow its log. */
export interface Readers {
  /**
   * The events there are and then those that come, in the total order, each once: `for await (const event of
   * store.subscribe({ events, from: "start" }))`. A slow loop neither holds up appends nor fills memory. Throws
   * `Invalid` for a wrong option, `Corrupt` where an event can't be decoded or a checkpoint is of another history of
   * the store.
   */
  readonly subscribe: <C extends Catalogue>(options: SubscribeOptions<C> & Abortable) => Following<EventOf<C>>
  /** The same by the page, each with how far it has looked (`through`). */
  readonly subscribePages: <C extends Catalogue>(
    options: SubscribeOptions<C> & Abortable
  ) => Following<Page<EventOf<C>>>
  /**
   * Hands over event after event, from where this name left off, at least once each, until it's stopped. What `handle`
   * throws or rejects with ends it, with everything before that event saved.
   */
  readonly runSubscription: <C extends Catalogue>(
    options: SubscriptionOptions<C> & Handling<EventOf<C>> & Abortable
  ) => Running
  /** The same by the page. */
  readonly runSubscriptionPages: <C extends Catalogue>(
    options: SubscriptionOptions<C> & Handling<Page<EventOf<C>>> & Abortable
  ) => Running
  /** Keeps a read model until it's stopped: each event takes effect exactly once, whatever ends the run. */
  readonly runReadModel: <C extends Catalogue, A>(
    model: ReadModel<C, A>,
    options?: BuildOptions & Abortable
  ) => Running
  /** Brings a read model to the head as it is now. */
  readonly catchUp: <C extends Catalogue, A>(
    model: ReadModel<C, A>,
    options?: BuildOptions & Abortable
  ) => Promise<CaughtUp | Fenced>
  /** Builds a read model again from zero. */
  readonly rebuild: <C extends Catalogue, A>(
    model: ReadModel<C, A>,
    options?: BuildOptions & Abortable
  ) => Promise<CaughtUp | Fenced>
  /** Waits until a read model shows everything at or below a position; `Unavailable` where that takes too long. */
  readonly waitFor: <C extends Catalogue, A>(
    model: ReadModel<C, A>,
    position: PositionInput,
    options?: WaitOptions & Abortable
  ) => Promise<void>
  /**
   * Finds the states of a read model that are as they are asked for, by the page: filters by field, an order, and the
   * index that serves them. Rejects with `Invalid` for what can't be asked of the model, and where its indexes were not
   * built; otherwise as every read.
   */
  readonly query: <C extends Catalogue, A>(
    model: ReadModel<C, A>,
    query?: Query<NoInfer<A>> & Abortable
  ) => Promise<QueryPage<A>>
  /**
   * Reads a read model as of the head without waiting for whoever keeps it: what its states lack is folded in memory,
   * and nothing is written.
   */
  readonly strong: <C extends Catalogue, A>(model: ReadModel<C, A>) => StrongReads<A>
  /**
   * The live version among those of a read model that this program knows, to be read as ever: while a new one is built
   * beside it the old one, then, from one commit on, the new one. Ask again for each piece of work. Rejects with
   * `Invalid` where they aren't of one name or the live version isn't among them; otherwise as every read.
   */
  readonly live: <M extends Version>(versions: ReadonlyArray<M>, options?: Abortable) => Promise<M>
  /** Registers a reader, so that compaction leaves it what it has yet to read; or finds it registered. */
  readonly registerReader: (name: string, options?: RegisterOptions & Abortable) => Promise<Checkpoint>
  /** Lists the registered readers by name, and how far each is behind: `lag` 0 where it has read all of its events. */
  readonly listReaders: (options?: Abortable) => Promise<ReadonlyArray<Reader>>
  /** The least position among the readers that cover a stream; `undefined` where there is none. */
  readonly slowestReader: (stream: string, options?: Abortable) => Promise<Position | undefined>
  /** Sets a reader's checkpoint, the start by default; whoever is running under this name is fenced. */
  readonly resetReader: (name: string, from?: StartFrom, options?: Abortable) => Promise<void>
  /** Forgets a reader; whoever is running under this name is fenced. */
  readonly removeReader: (name: string, options?: Abortable) => Promise<void>
  /** Reads a reader's checkpoint; `undefined` where there is no such reader. */
  readonly readCheckpoint: (name: string, options?: Abortable) => Promise<Checkpoint | undefined>
  /** Saves how far a reader has come; `Fenced` where somebody else moved its checkpoint since. */
  readonly moveCheckpoint: (
    checkpoint: Checkpoint,
    position: PositionInput,
    options?: Abortable
  ) => Promise<Checkpoint | Fenced>
  /** Moves a checkpoint as part of a commit, so that it and what was made of the events happen together. */
  readonly checkpointOp: (checkpoint: Checkpoint, position: PositionInput) => Op
}

/** Makes the Promise interface of what follows a store's log. */
export const promiseReaders = (store: StoreShape, surroundings: Surroundings): Readers => ({
  subscribe: (options) => following(surroundings, options, (own) => Core.subscribe(store, own)),
  subscribePages: (options) => following(surroundings, options, (own) => Core.subscribePages(store, own)),
  runSubscription: (options) => {
    const [own, signal] = split(options)
    const handle = handlerOf(own.handle)
    return start(
      Effect.isEffect(handle) ? handle : Core.runSubscription(store, { ...own, handle }),
      signal,
      surroundings
    )
  },
  runSubscriptionPages: (options) => {
    const [own, signal] = split(options)
    const handle = handlerOf(own.handle)
    return start(
      Effect.isEffect(handle) ? handle : Core.runSubscriptionPages(store, { ...own, handle }),
      signal,
      surroundings
    )
  },
  runReadModel: (model, options) => {
    const [own, signal] = split(options)
    return start(Core.runReadModel(store, model, own), signal, surroundings)
  },
  catchUp: (model, options) => call(options, (own) => Core.catchUp(store, model, own)),
  rebuild: (model, options) => call(options, (own) => Core.rebuild(store, model, own)),
  waitFor: (model, position, options) => call(options, (own) => Core.waitFor(store, model, position, own)),
  query: (model, asked) => call(asked, (own) => Core.query(store, model, own)),
  strong: (model) => promiseStrong(Core.strong(store, model)),
  live: (versions, options) => callPlain(options, () => Core.live(store, versions)),
  registerReader: (name, options) => call(options, (own) => Core.registerReader(store, name, own)),
  listReaders: (options) => callPlain(options, () => Core.listReaders(store)),
  slowestReader: (stream, options) => callPlain(options, () => Core.slowestReader(store, stream)),
  resetReader: (name, from, options) => callPlain(options, () => Core.resetReader(store, name, from)),
  removeReader: (name, options) => callPlain(options, () => Core.removeReader(store, name)),
  readCheckpoint: (name, options) =>
    callPlain(options, () => Effect.map(Core.readCheckpoint(store, name), Option.getOrUndefined)),
  moveCheckpoint: (checkpoint, position, options) =>
    callPlain(options, () => Core.moveCheckpoint(store, checkpoint, position)),
  checkpointOp: (checkpoint, position) => Core.checkpointOp(store, checkpoint, position)
})

/** A handler as core takes it, which fails with what the function throws or rejects with. */
const handlerOf = <A>(handle: (received: A) => unknown) =>
  typeof handle !== "function"
    ? Effect.fail(new Invalid({ field: "handle", reason: "is no function", remedy: "pass (received) => …" }))
    : (received: A): Effect.Effect<unknown, Thrown> => answerTo(() => handle(received))
