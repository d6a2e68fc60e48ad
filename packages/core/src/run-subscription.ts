/** Durable subscriptions: every event handled at least once, under a name that remembers how far it has come. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type { Page } from "./backend.ts"
import type { Catalogue, EventOf } from "./catalogue.ts"
import type { Checkpoint, Fenced } from "./checkpoint.ts"
import { Invalid, type StoreError } from "./error.ts"
import {
  consume,
  type EventFilter,
  type EventSource,
  eventSource,
  followPages,
  type Interruptibly
} from "./event-pages.ts"
import type { Event } from "./event.ts"
import * as Fault from "./fault.ts"
import { Progress, wakeUpsEnded } from "./progress.ts"
import { enrol, readerFault, type StartFrom } from "./reader.ts"
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
 * When the handler fails, so does the subscription, with all before that event saved; to retry is the handler's own
 * business. An interruption waits for the event in hand and saves; a handler that interrupts its own run must fork
 * that, since each would wait for the other. Succeeds only with `Fenced`: somebody else runs under this name and got
 * further, and what comes is theirs to handle now.
 *
 * Running under a known name with another filter goes on with that; what the former one left out stays left out.
 * Fails with the handler's errors, `Invalid` for wrong options and a handler that answers no effect, `Corrupt` where
 * the checkpoint belongs to another history of the store (reset the reader) or an event can't be decoded, and as every
 * read and commit: `Invalid` when the store is closed under it.
 */
export const runSubscription = <C extends Catalogue, E, R>(
  store: StoreShape,
  options: SubscriptionOptions<C> & EventHandler<C, E, R>
): Effect.Effect<Fenced, StoreError | E, R> => run(store, options, () => eachEvent(options.handle))

/**
 * The same by the page: the handler is given whole pages, and one that fails or crashes is given again whole. An
 * interruption waits for the page in hand and saves.
 */
export const runSubscriptionPages = <C extends Catalogue, E, R>(
  store: StoreShape,
  options: SubscriptionOptions<C> & PageHandler<C, E, R>
): Effect.Effect<Fenced, StoreError | E, R> => run(store, options, () => wholePage(options.handle))

/** Handles a page as far as it gets; `handled` is how far that is, and `exit` how it ended. */
type Work<E, Err, R> = (page: Page<E>, interruptibly: Interruptibly) => Effect.Effect<Worked<Err>, never, R>

interface Worked<Err> {
  readonly handled: number
  readonly exit: Exit.Exit<unknown, Err>
}

/** Calls a handler; what it throws becomes a defect, and an answer that is no effect an `Invalid`. */
const answers =
  <Received, Err, R>(handle: (received: Received) => Effect.Effect<unknown, Err, R>) =>
  (received: Received): Effect.Effect<unknown, Err | Invalid, R> => {
    try {
      const answer = handle(received)
      return Effect.isEffect(answer) ? answer : Effect.fail(noEffect)
    } catch (defect) {
      return Effect.die(defect)
    }
  }

const wholePage = <E, Err, R>(
  handle: (page: Page<E>) => Effect.Effect<unknown, Err, R>
): Work<E, Err | Invalid, R> => {
  const answerTo = answers(handle)
  return (page) =>
    Effect.map(Effect.exit(Effect.suspend(() => answerTo(page))), (exit) => ({
      handled: Exit.isSuccess(exit) ? page.items.length : 0,
      exit
    }))
}

/**
 * Hands over one event after another. What the handler answers at once needs no step that masks an interruption: one
 * that comes meanwhile is heard before the next event. The others are waited for where none is heard.
 */
const eachEvent = <E, Err, R>(handle: (event: E) => Effect.Effect<unknown, Err, R>): Work<E, Err | Invalid, R> => {
  let sinceTurn = 0
  const answerTo = answers(handle)
  return ({ items }, interruptibly) =>
    Effect.suspend(() => {
      let handled = 0
      let inHand: Effect.Effect<unknown, Err | Invalid, R> | undefined
      const count = () => {
        handled++
      }
      const wait = Effect.uninterruptible(Effect.suspend(() => {
        const answer = inHand
        inHand = undefined
        return answer === undefined ? Effect.void : Effect.map(answer, count)
      }))
      const loop = Effect.whileLoop({
        while: () => handled < items.length,
        body: () => {
          const event = items[handled]
          if (event === undefined || ++sinceTurn > turnEvery) {
            sinceTurn = 0
            return Effect.yieldNow
          }
          const answer = answerTo(event)
          if (!isSuccess(answer)) {
            inHand = answer
            return wait
          }
          count()
          return answer
        },
        step: () => undefined
      })
      // Where it was interrupted between the call and its effect, the handler may have begun something in the call.
      const all = Effect.flatMap(Effect.exit(interruptibly(loop)), (exit) => Effect.andThen(wait, exit))
      return Effect.map(Effect.exit(all), (exit) => ({ handled, exit }))
    })
}

/**
 * After how many events the event loop has its turn. Few enough that the scheduler never takes one by itself, which may
 * be between a call and what waits for its answer.
 */
const turnEvery = 256

const noEffect = new Invalid({
  field: "handle",
  reason: "answered no effect",
  remedy: "return one, Effect.void where there is nothing to wait for"
})

const isSuccess = <A, E, R>(effect: Effect.Effect<A, E, R>): effect is Exit.Success<A> =>
  Exit.isExit(effect) && Exit.isSuccess(effect)

const run = <C extends Catalogue, Err, R>(
  store: StoreShape,
  options: SubscriptionOptions<C> & { readonly handle: unknown },
  makeWork: () => Work<EventOf<C>, Err | Invalid, R>
): Effect.Effect<Fenced, StoreError | Err, R> =>
  Effect.suspend(() => {
    const fault = optionsFault(options) ?? readerFault(store, options.name)
    if (fault !== undefined) return Effect.fail(fault)
    const source = eventSource(store, options.events, options)
    if (Result.isFailure(source)) return Effect.fail(source.failure)
    const { from = "start", name } = options
    return Effect.flatMap(enrol(store, name, from, source.success.filter), (checkpoint) =>
      follow(store, source.success, checkpoint, { saveEvery: options.saveEvery ?? 1, work: makeWork() }))
  })

const known = ["name", "events", "from", "prefix", "types", "batch", "saveEvery", "handle"]

const optionsFault = (
  options: SubscriptionOptions<Catalogue> & { readonly handle: unknown }
): Fault.Fault | undefined => {
  const fault = Fault.requiredFault(options, known, "name")
  if (fault !== undefined) return fault
  if (typeof options.handle !== "function") {
    return new Invalid({ field: "handle", reason: "is no function", remedy: "pass what to do with each event" })
  }
  const { saveEvery } = options
  return saveEvery === undefined || (Fault.isCounter(saveEvery) && saveEvery > 0) ? undefined : new Invalid({
    field: "saveEvery",
    reason: "is no whole number from 1",
    remedy: "leave it out to save after every page"
  })
}

const follow = <E extends Event, Err, R>(
  store: StoreShape,
  source: EventSource<E>,
  checkpoint: Checkpoint,
  { saveEvery, work }: { readonly saveEvery: number; readonly work: Work<E, Err, R> }
): Effect.Effect<Fenced, StoreError | Err, R> =>
  Effect.suspend(() => {
    const progress = new Progress(store, checkpoint)
    let position = checkpoint.position
    let unsaved = 0
    const save = Effect.suspend(() => {
      unsaved = 0
      return progress.save(position)
    })
    const each = Effect.fnUntraced(function*(page: Page<E>, interruptibly: Interruptibly) {
      if (page.items.length === 0) position = page.through
      else {
        const { exit, handled } = yield* work(page, interruptibly)
        const last = page.items[handled - 1]
        if (last !== undefined) {
          position = Exit.isSuccess(exit) ? page.through : last.position
          progress.busy(position)
          unsaved += handled
        }
        if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
      }
      return unsaved >= saveEvery || progress.passed(position) ? yield* save : undefined
    })
    return consume(followPages(store, source, position), each).pipe(
      // What ended it is what the caller is told; where even this save fails, the events are only handled again. Having
      // passed what isn't ours needs no save: that would only fence whoever else runs under this name.
      Effect.onExit((exit) => Exit.isFailure(exit) && unsaved > 0 ? Effect.ignore(save) : Effect.void),
      Effect.flatMap((fenced) => fenced === undefined ? wakeUpsEnded(store) : Effect.succeed(fenced))
    )
  })
