/** Group commit: whatever is waiting goes to the backend as one batch, so that a busy store shares its flushes. */
import { isArrayNonEmpty, map as mapArray, type NonEmptyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Scheduler from "effect/Scheduler"
import type { Scope } from "effect/Scope"
import type { BackendShape } from "./backend.ts"
import type { Commit, Committed, Conflict, Outcome } from "./commit.ts"
import { type BackendError, type StoreError, Unavailable } from "./error.ts"
import { closedFault, counterFault } from "./fault.ts"
import { answered, post, suspended } from "./posted.ts"
import { type Settled, settledIn } from "./settled.ts"
import { throwUncaught } from "./uncaught.ts"

/** How much may wait, and how often a commit that left nothing behind is sent again. */
export interface CommitterOptions {
  /** Most commits that may wait for a flush; one more is refused with `Unavailable`. Default 65,536. */
  readonly waitingCommits?: number
  /** Most bytes of payload that may wait; one commit may pass it alone. Default 256 MiB. */
  readonly waitingBytes?: number
  /** Most commits in one flush. Default 1,024; 1 for a backend that lacks `"atomic"`: its batches could break apart. */
  readonly batchCommits?: number
  /** How often a batch is sent again after `Unavailable`, or `OutcomeUnknown` where ids make it safe. Default 2. */
  readonly retries?: number
}

/** A commit on its way: `bytes` is its payload's size, as counted when it was drafted. */
export interface Request {
  readonly commit: Commit
  readonly bytes: number
}

/** Puts commits into a store, in the order they were submitted. */
export interface Committer {
  /**
   * Answers with the commit's outcome; a refusal is a failure. Interrupting it takes a commit that still waits out of
   * the queue; one that is being flushed happens or not regardless, and nobody else's is touched. Fails with
   * `Unavailable` (nothing happened, or too much is waiting), `OutcomeUnknown`, `Invalid` (closed store) and what the
   * backend fails or refuses with. `answer` makes of the outcome what the caller is told.
   */
  readonly submit: <A>(
    request: Request,
    onFlush: ((flight: Flight) => void) | undefined,
    answer: (outcome: Committed | Conflict) => A
  ) => Effect.Effect<A, StoreError>
  /** The same without a fiber, and so without interruption: `settle` is called once, with what became of it. */
  readonly post: <A>(
    request: Request,
    answer: (outcome: Committed | Conflict) => A,
    settle: (exit: Exit.Exit<A, StoreError>) => void
  ) => void
}

/** A commit that left the queue for the backend: from then on it happens or not, whoever is interrupted. */
export interface Flight {
  readonly commit: Commit
  /** What became of it; `undefined` while it's on its way. */
  readonly outcome: Settled | undefined
}

/** Told of each commit of the caller's that is flushed: for those who must say what an interruption left behind. */
export const OnFlush = Context.Reference<((flight: Flight) => void) | undefined>("@persist/core/OnFlush", {
  defaultValue: () => undefined
})

interface Waiting extends Request, Flight {
  readonly onFlush: ((flight: Flight) => void) | undefined
  readonly settle: (settled: Settled) => void
}

class Submitted<A> implements Waiting {
  readonly commit: Commit
  readonly bytes: number
  outcome: Settled | undefined = undefined
  readonly onFlush: Waiting["onFlush"]
  private readonly answer: (outcome: Committed | Conflict) => A
  private readonly tell: (exit: Exit.Exit<A, StoreError>) => void

  constructor(
    { bytes, commit }: Request,
    onFlush: Waiting["onFlush"],
    answer: (outcome: Committed | Conflict) => A,
    tell: (exit: Exit.Exit<A, StoreError>) => void
  ) {
    this.commit = commit
    this.bytes = bytes
    this.onFlush = onFlush
    this.answer = answer
    this.tell = tell
  }

  settle(settled: Settled): void {
    this.outcome = settled
    this.tell(answered(settled, this.answer))
  }
}

const mebibyte = 1024 * 1024

/** After so many commits that waited for nobody, the event loop has its turn: a millisecond or two. */
const sentInATurn = 256

// Costs two thirds of what queueMicrotask does, which makes an object of its own for each.
const ready = Promise.resolve()

/**
 * Makes the one committer of a backend's handle. Closing the scope flushes what waits, then refuses what comes. Dies
 * with `Invalid` for an option that is no whole number in its range.
 */
export const makeCommitter = (
  backend: BackendShape,
  options: CommitterOptions = {}
): Effect.Effect<Committer, never, Scope> =>
  Effect.acquireRelease(
    Effect.map(Effect.context<never>(), (context) => new Lane(backend, options, context)),
    (lane) => lane.close
  )

class Lane implements Committer {
  private readonly backend: BackendShape
  private readonly limits: Required<CommitterOptions>
  private readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
  private readonly dispatcher: Scheduler.SchedulerDispatcher
  /** Whether its flushes cost nothing and nobody else's come between: in memory, in this process alone. */
  private readonly flushless: boolean
  /** How many commits were sent since the event loop had its turn. */
  private sent = 0
  private queue: Array<Waiting> = []
  private bytes = 0
  private running = false
  private closed = false
  private onIdle: (() => void) | undefined

  constructor(backend: BackendShape, options: CommitterOptions, context: Context.Context<never>) {
    this.backend = backend
    this.limits = {
      waitingCommits: count("waitingCommits", 1, options.waitingCommits ?? 65_536),
      waitingBytes: count("waitingBytes", 1, options.waitingBytes ?? 256 * mebibyte),
      batchCommits: count("batchCommits", 1, options.batchCommits ?? (backend.about.lacks.has("atomic") ? 1 : 1024)),
      retries: count("retries", 0, options.retries ?? 2)
    }
    this.flushless = backend.about.durability === "memory" && !backend.about.shared
    this.fork = Effect.runForkWith(context)
    // Not the context's: within runSync that one takes no turns of the event loop, and the store outlives it.
    this.dispatcher = Scheduler.Scheduler.defaultValue().makeDispatcher()
  }

  readonly submit = <A>(
    request: Request,
    onFlush: Waiting["onFlush"],
    answer: (outcome: Committed | Conflict) => A
  ): Effect.Effect<A, StoreError> =>
    Effect.callback((resume) => {
      const waiting = new Submitted(request, onFlush, answer, resume)
      return this.enqueue(waiting) ? Effect.sync(() => this.withdraw(waiting)) : undefined
    })

  readonly post: Committer["post"] = (request, answer, settle) =>
    void this.enqueue(new Submitted(request, undefined, answer, settle))

  /** Whether it waits from now on; where it was refused, it's settled so. */
  private enqueue(waiting: Waiting): boolean {
    const refusal = this.refusal(waiting)
    if (refusal !== undefined) {
      waiting.settle(Exit.fail(refusal))
      return false
    }
    if (this.queue.length === 0) this.queue = [waiting] // begun empty, it would make room for 17
    else this.queue.push(waiting)
    this.bytes += waiting.bytes
    if (!this.running) {
      this.running = true
      this.dispatch()
    }
    return true
  }

  private refusal({ bytes }: Request): StoreError | undefined {
    if (this.closed) return closedFault
    const { waitingBytes, waitingCommits } = this.limits
    if (this.queue.length < waitingCommits && (this.bytes === 0 || this.bytes + bytes <= waitingBytes)) return undefined
    return new Unavailable({
      operation: "commit",
      reason: `${this.queue.length} commits of ${this.bytes} bytes already wait to be flushed`,
      remedy: "wait for some of them before sending more"
    })
  }

  private withdraw(waiting: Waiting): void {
    const at = this.queue.indexOf(waiting)
    if (at < 0) return
    this.queue.splice(at, 1)
    this.bytes -= waiting.bytes
  }

  // One turn of the event loop before each flush: it costs an idle store microseconds, and everybody who was woken by
  // the flush before, or whose socket was readable in this turn, is in the queue by then. Whoever appends again as soon
  // as it's answered finds the lane still running. Where nothing is kept there is no flush to share: then it's enough
  // that what is called at once goes together, but for now and then, when signals, timers and sockets have their turn.
  private dispatch(): void {
    if (this.flushless && this.sent < sentInATurn) return void ready.then(this.turn)
    this.sent = 0
    this.dispatcher.scheduleTask(this.turn, 0)
  }

  private readonly turn = (): void => {
    const batch = this.next()
    if (isArrayNonEmpty(batch)) this.flush(batch)
    else this.rest()
  }

  /** Takes what goes in one flush out of the queue. */
  private next(): Array<Waiting> {
    if (this.queue.length > this.limits.batchCommits) return this.queue.splice(0, this.limits.batchCommits)
    const all = this.queue
    this.queue = []
    return all
  }

  /** Stops running, after a turn in which nobody came. */
  private rest(): void {
    this.running = false
    this.onIdle?.()
  }

  private flush(batch: NonEmptyArray<Waiting>): void {
    this.sent += batch.length
    for (const waiting of batch) {
      this.bytes -= waiting.bytes
      if (waiting.onFlush !== undefined) tellOfFlush(waiting.onFlush, waiting)
    }
    const commits: NonEmptyArray<Commit> = batch.length === 1
      ? [batch[0].commit]
      : mapArray(batch, ({ commit }) => commit)
    this.send(batch, commits, this.limits.retries)
  }

  private send(batch: NonEmptyArray<Waiting>, commits: NonEmptyArray<Commit>, retries: number): void {
    // Suspended, so that a backend that throws fails its batch, and not the lane.
    const attempt = suspended(() => this.backend.commit(commits))
    post(attempt, (exit) => {
      const error = exit._tag === "Failure" ? Result.getOrUndefined(Cause.findError(exit.cause)) : undefined
      if (retries > 0 && error !== undefined && repeatable(error, commits)) {
        const delay = 20 * 2 ** (this.limits.retries - retries)
        this.fork(Effect.delay(Effect.sync(() => this.send(batch, commits, retries - 1)), delay))
        return
      }
      settle(batch, exit)
      this.dispatch()
    }, this.fork)
  }

  get close(): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      this.closed = true
      if (!this.running) return resume(Effect.void)
      this.onIdle = () => resume(Effect.void)
    })
  }
}

// Options are code, so a wrong one throws at once instead of leaving a store that never flushes.
const count = (field: string, least: number, value: number): number => {
  const fault = counterFault(field, value, least)
  if (fault !== undefined) throw fault
  return value
}

// After an unknown outcome only commits with ids may be sent again: if they happened, the ids give their first result.
const repeatable = (error: BackendError, commits: ReadonlyArray<Commit>): boolean =>
  error._tag === "Unavailable" ||
  (error._tag === "OutcomeUnknown" && commits.every(({ identity }) => identity !== undefined))

// Whoever is told goes on at once, in observers and callbacks of its own: what those throw is nobody else's business.
const settle = (batch: ReadonlyArray<Waiting>, exit: Exit.Exit<ReadonlyArray<Outcome>, BackendError>): void => {
  for (let i = 0; i < batch.length; i++) {
    const waiting = batch[i]
    try {
      waiting?.settle(settledIn(exit, i, waiting.commit))
    } catch (thrown) {
      throwUncaught(thrown)
    }
  }
}

const tellOfFlush = (onFlush: NonNullable<Waiting["onFlush"]>, flight: Flight): void => {
  try {
    onFlush(flight)
  } catch (thrown) {
    throwUncaught(thrown)
  }
}
