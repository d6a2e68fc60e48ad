/** Durable subscriptions: a handler at the end of the log, at least once per event, under a name that remembers how far. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type { Page } from "./backend.ts"
import type { Catalogue, EventOf } from "./catalogue.ts"
import { type Checkpoint, checkpoints, type Fenced, moved, moveOp, type StoredCheckpoint } from "./checkpoint.ts"
import { Invalid, type StoreError, Unavailable } from "./error.ts"
import { consume, type EventFilter, type EventSource, eventSource, followPages, type Pause } from "./event-pages.ts"
import type { Event } from "./event.ts"
import * as Fault from "./fault.ts"
import type { Kv } from "./kv.ts"
import { isReserved, reservedFault } from "./name.ts"
import { enrol, type StartFrom } from "./reader.ts"
import type { Position } from "./sequence.ts"
import type { StoreShape } from "./store.ts"

/** A subscription that survives restarts: its name, what it receives, and how often it notes how far it has come. */
export interface SubscriptionOptions<C extends Catalogue> extends EventFilter<C> {
  /** What it's known by: its checkpoint's name, so one of its own. Names starting with `$` are the store's. */
  readonly name: string
  /** The events to receive; `anyEvents` for all, undecoded. Types that it skips are left out by the backend. */
  readonly events: C
  /** Where it begins the very first time, `"start"` by default; afterwards it goes on from its checkpoint. */
  readonly from?: StartFrom | undefined
  /**
   * After how many handled events the checkpoint is saved, at the end of the page that reaches it; every page by
   * default. What was handled and not saved is handled again after a crash.
   */
  readonly saveEvery?: number | undefined
}

/** What a subscription does with each event. */
export interface EventHandler<C extends Catalogue, E, R> {
  readonly handle: (event: EventOf<C>) => Effect.Effect<unknown, E, R>
}

/** What a subscription does with each page; those without events aren't handed over. */
export interface PageHandler<C extends Catalogue, E, R> {
  readonly handle: (page: Page<EventOf<C>>) => Effect.Effect<unknown, E, R>
}

/**
 * Hands over event after event in the total order: first what's there, then what comes, until it is interrupted or
 * fails. Each event is handled at least once: the checkpoint follows behind, and after a crash it goes on from there.
 * When the handler fails, so does the subscription, with all before that event saved; it's the handler's own business to
 * retry. An interruption waits for the event in hand and saves. Succeeds only with `Fenced`: somebody else runs under
 * this name and got further, and every event is theirs to handle now.
 *
 * Running under a known name with another filter goes on with that; what the former one left out stays left out.
 * Fails with the handler's errors, `Invalid` for wrong options, `Corrupt` where the checkpoint belongs to another
 * history of the store (reset the reader) or an event can't be decoded, and as every read and commit.
 */
export const runSubscription = <C extends Catalogue, E, R>(
  store: StoreShape,
  options: SubscriptionOptions<C> & EventHandler<C, E, R>
): Effect.Effect<Fenced, StoreError | E, R> => run(store, options, eachEvent(options.handle))

/**
 * The same by the page: the handler is given whole pages, and one that fails or crashes is given again whole. An
 * interruption waits for the page in hand and saves.
 */
export const runSubscriptionPages = <C extends Catalogue, E, R>(
  store: StoreShape,
  options: SubscriptionOptions<C> & PageHandler<C, E, R>
): Effect.Effect<Fenced, StoreError | E, R> => run(store, options, wholePage(options.handle))

/** Handles a page as far as it gets; `done` is how far that is, and `exit` how it ended. */
type Work<E, Err, R> = (page: Page<E>, pause: Pause) => Effect.Effect<Worked<Err>, never, R>

interface Worked<Err> {
  readonly handled: number
  readonly exit: Exit.Exit<unknown, Err>
}

const wholePage = <E, Err, R>(
  handle: (page: Page<E>) => Effect.Effect<unknown, Err, R>
): Work<E, Err, R> =>
(page) =>
  Effect.map(Effect.exit(Effect.suspend(() => handle(page))), (exit) => ({
    handled: Exit.isSuccess(exit) ? page.items.length : 0,
    exit
  }))

const eachEvent = <E, Err, R>(
  handle: (event: E) => Effect.Effect<unknown, Err, R>
): Work<E, Err, R> =>
({ items }, pause) =>
  Effect.suspend(() => {
    let handled = 0
    const loop = Effect.whileLoop({
      while: () => handled < items.length,
      body: () => {
        const event = items[handled]
        return event === undefined ? Effect.void : Effect.flatMap(pause, () => handle(event))
      },
      step: () => {
        handled++
      }
    })
    return Effect.map(Effect.exit(loop), (exit) => ({ handled, exit }))
  })

/** After how many positions without an event of its own a reader saves that it has passed them. */
export const idleStretch = 1000

const run = <C extends Catalogue, Err, R>(
  store: StoreShape,
  options: SubscriptionOptions<C>,
  work: Work<EventOf<C>, Err, R>
): Effect.Effect<Fenced, StoreError | Err, R> =>
  Effect.suspend(() => {
    const fault = optionsFault(options)
    if (fault !== undefined) return Effect.fail(fault)
    const source = eventSource(store, options.events, options)
    if (Result.isFailure(source)) return Effect.fail(source.failure)
    const { filter } = source.success
    return Effect.flatMap(enrol(store, options.name, options.from ?? "start", filter), (checkpoint) =>
      follow(store, source.success, new Progress(store, checkpoint, options.saveEvery ?? 1), work))
  })

const optionsFault = (options: SubscriptionOptions<Catalogue>): Fault.Fault | undefined => {
  const { name, saveEvery } = options
  const known = ["name", "events", "from", "prefix", "types", "batch", "saveEvery", "handle"]
  return Fault.requiredFault(options, known, "name") ??
    (typeof name === "string" && isReserved(name) ? reservedFault("name", name) : undefined) ??
    (saveEvery === undefined || (Fault.isCounter(saveEvery) && saveEvery > 0) ? undefined : new Invalid({
      field: "saveEvery",
      reason: "is no whole number from 1",
      remedy: "leave it out to save after every page"
    }))
}

const follow = <E extends Event, Err, R>(
  store: StoreShape,
  source: EventSource<E>,
  progress: Progress,
  work: Work<E, Err, R>
): Effect.Effect<Fenced, StoreError | Err, R> => {
  const each = Effect.fnUntraced(function*(page: Page<E>, pause: Pause) {
    if (page.items.length === 0) progress.passed(page.through)
    else {
      const { exit, handled } = yield* work(page, pause)
      const last = page.items[handled - 1]
      if (last !== undefined) progress.handled(handled, Exit.isSuccess(exit) ? page.through : last.position)
      if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
    }
    return yield* progress.saveIfDue
  })
  const pages = followPages(store, source, progress.position)
  return consume(pages, each).pipe(
    // What ended it is what the caller is told; where even this save fails, the events are only handled again.
    Effect.onExit((exit) => Exit.isFailure(exit) ? progress.saveAtEnd : Effect.void),
    Effect.flatMap((fenced) => fenced === undefined ? Effect.fail(storeClosed) : Effect.succeed(fenced))
  )
}

/** How far a subscription has come, and how much of that is saved. */
class Progress {
  position: Position
  private checkpoint: Checkpoint
  private busyUntil: Position
  private unsaved = 0
  private readonly store: StoreShape
  private readonly kv: Kv<StoredCheckpoint>
  private readonly saveEvery: number

  constructor(store: StoreShape, checkpoint: Checkpoint, saveEvery: number) {
    this.store = store
    this.kv = checkpoints(store)
    this.checkpoint = checkpoint
    this.position = checkpoint.position
    this.busyUntil = checkpoint.position
    this.saveEvery = saveEvery
  }

  /** There were events, and they are handled. */
  handled(events: number, position: Position): void {
    this.unsaved += events
    this.position = position
    this.busyUntil = position
  }

  /** There was nothing for us up to here. */
  passed(position: Position): void {
    this.position = position
  }

  readonly save: Effect.Effect<Fenced | undefined, StoreError> = Effect.suspend(() => {
    const { checkpoint, position } = this
    if (position === checkpoint.position) return Effect.undefined
    const commit = this.store.commit([moveOp(this.store.about, this.kv, checkpoint, position)])
    return Effect.map(commit, (outcome) => {
      const next = moved(checkpoint, position, outcome)
      if ("_tag" in next) return next
      this.checkpoint = next
      this.busyUntil = position
      this.unsaved = 0
      return undefined
    })
  })

  readonly saveIfDue: Effect.Effect<Fenced | undefined, StoreError> = Effect.suspend(() =>
    this.unsaved >= this.saveEvery || this.position - this.busyUntil >= idleStretch ? this.save : Effect.undefined
  )

  /** Saves what was handled; passing over what isn't ours needs none, and would fence who else runs under this name. */
  readonly saveAtEnd: Effect.Effect<void> = Effect.suspend(() =>
    this.unsaved > 0 ? Effect.ignore(this.save) : Effect.void
  )
}

/** What a reader that should follow for ever is told when there will be no more wake-ups. */
export const storeClosed = new Unavailable({
  operation: "follow",
  reason: "the store was closed",
  remedy: "open it again, and run the same name to go on from its checkpoint"
})
