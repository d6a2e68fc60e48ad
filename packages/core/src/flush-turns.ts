/** When the next flush goes: after what is called just now, or after a turn of the event loop. */
import * as Clock from "effect/Clock"
import * as Scheduler from "effect/Scheduler"

/** After so many commits that waited for nobody, the event loop has its turn: a millisecond or two. */
const commitsInATurn = 256

/** Within so many microtasks whoever awaited an answer through a few functions of its own has appended again. */
const hopsToFollow = 8

// Costs two thirds of what queueMicrotask does, which makes an object of its own for each.
const ready = Promise.resolve()

/** What takes turns. */
export interface Flushing {
  /** Whether flushes cost nothing and nobody else's come between: in memory, in this process alone. */
  readonly flushless: boolean
  readonly isWaited: () => boolean
  /** Flushes what waits, or comes to rest. */
  readonly flush: () => void
}

/**
 * The turns of a store's flushes. One turn of the event loop before each: it costs an idle store microseconds, and
 * everybody who was woken by the flush before, or whose socket was readable in this turn, is in the queue by then.
 * Whoever appends again as soon as it's answered finds the lane still running. Two may do without:
 *
 * - where nothing is kept there is no flush to share: then it's enough that what is called at once goes together
 * - whoever was alone in a flush that blocked this thread, and goes on at once, has nobody to wait for
 *
 * They do so but for now and then, the latter within a millisecond, when signals, timers and sockets have their turn.
 */
export class FlushTurns {
  private readonly flushing: Flushing
  // Not the context's: within runSync that one takes no turns of the event loop, and the store outlives it. Nor its
  // clock, which a test may have stopped.
  private readonly dispatcher = Scheduler.Scheduler.defaultValue().makeDispatcher()
  private readonly clock = Clock.Clock.defaultValue()
  /** How many commits went since the event loop had its turn, and in which millisecond that was. */
  private commits = 0
  private since = 0
  private hops = 0

  constructor(flushing: Flushing) {
    this.flushing = flushing
  }

  /** Has the next flush go. */
  next(): void {
    if (this.flushing.flushless && this.commits < commitsInATurn) return void ready.then(this.flushing.flush)
    this.commits = 0
    this.dispatcher.scheduleTask(this.afterLoop, 0)
  }

  /** Has the next flush go after one of so many commits, which blocked this thread or didn't. */
  after(commits: number, blocking: boolean): void {
    this.commits += commits
    const isAlone = blocking && commits === 1 && !this.flushing.flushless
    if (!isAlone || this.clock.currentTimeMillisUnsafe() !== this.since) return this.next()
    this.hops = hopsToFollow
    void ready.then(this.follow)
  }

  private readonly afterLoop = (): void => {
    this.since = this.clock.currentTimeMillisUnsafe()
    this.flushing.flush()
  }

  private readonly follow = (): void => {
    if (this.flushing.isWaited()) this.flushing.flush()
    else if (this.hops-- > 0) void ready.then(this.follow)
    else this.next()
  }
}
