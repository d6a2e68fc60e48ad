/** The run of one partition by whoever has its lease: page after page, each saved with what came of it. */
import type { Checkpoint, Entry, Fenced, Position, StoreError, StoreShape } from "@persist/core"
import { wakeUpsEnded } from "@persist/core/progress"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { Attempts, type Restore, type Stopped } from "./attempts.ts"
import { type Batch, batches } from "./batches.ts"
import { Deadlines } from "./deadline.ts"
import type { Policy } from "./failure.ts"
import { InHand } from "./in-hand.ts"
import { type Parked, parked, type PartitionReport } from "./names.ts"
import { lookAgain } from "./noted.ts"
import { Aside, type Keyed } from "./parked.ts"
import type { Alarm, Assignment, Handled, Saving } from "./processor.ts"
import { type Hands, tryAgain } from "./retry.ts"
import { Saves } from "./saves.ts"
import { Sight, type Stretch } from "./sight.ts"

/** Why a partition's run has ended by itself. */
export type Ended = Fenced | Stopped

/** What a worker is made of. */
export interface WorkerOptions<R> {
  readonly store: StoreShape
  readonly processor: string
  readonly policy: Policy
  /** As it is since the lease was taken. */
  readonly checkpoint: Checkpoint
  readonly assignment: Assignment<R>
}

/** Runs one partition. */
export class Worker<R> {
  private readonly options: WorkerOptions<R>
  private readonly saves: Saves
  private readonly aside: Aside
  /** Events and alarms take turns. */
  private readonly turns = Semaphore.makeUnsafe(1)
  private looked: Position
  private readonly attempts: Attempts
  private readonly sight: Sight
  private readonly hands: Hands<R>
  private readonly deadlines: Deadlines
  readonly inHand = new InHand()

  constructor(options: WorkerOptions<R>) {
    const { assignment, checkpoint, processor, store } = options
    this.options = options
    this.attempts = new Attempts(options.policy)
    this.saves = new Saves(store, checkpoint)
    this.looked = checkpoint.position
    this.aside = new Aside(store, processor, checkpoint.name)
    this.sight = new Sight(processor, checkpoint.name)
    this.hands = { store, assignment, saves: this.saves, sight: this.sight, inHand: this.inHand }
    this.deadlines = new Deadlines(store, assignment.source)
  }

  /** How it fares; `rate` is the caller's to find out. */
  get report(): Omit<PartitionReport, "rate"> {
    return {
      reader: this.options.checkpoint.name,
      state: this.attempts.state,
      position: this.looked,
      handled: this.sight.count,
      ...this.attempts.error === undefined ? {} : { error: this.attempts.error }
    }
  }

  /**
   * Handles what there is, then what comes, until it is fenced, stopped by its policy, or interrupted: then it finishes
   * what it has in hand and saves it. Fails as every read and commit; failures of the processor's own never end it.
   */
  readonly run: Effect.Effect<Ended, StoreError, R> = Effect.suspend(() =>
    Effect.flatMap(Effect.uninterruptibleMask(this.begin), (fenced) => {
      if (fenced !== undefined) return Effect.succeed(fenced)
      const { alarm } = this.options.assignment.work
      return alarm === undefined ? this.follow : Effect.raceFirst(this.follow, this.ring(alarm))
    })
  )

  private readonly follow = Effect.suspend((): Effect.Effect<Ended, StoreError, R> => {
    const { assignment, store } = this.options
    return Effect.scoped(Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        const { source, work } = assignment
        const again = (entry: Entry<Parked>, held: ReadonlySet<string>) =>
          Effect.tap(tryAgain(this.hands, entry, held), () => restore(Effect.void))
        const pull = yield* Stream.toPull(batches(store, source, this.saves.progress.saved, work.keysOf))
        while (true) {
          const read = yield* restore(Pull.catchDone(pull, () => Effect.undefined))
          if (read === undefined) return yield* wakeUpsEnded(store)
          for (const batch of read) {
            const ended = yield* this.turn(
              Effect.flatMap(this.aside.settle(this.saves.progress.saved, again), (met) =>
                met === undefined ? this.take(batch, restore) : Effect.succeed(met))
            )
            if (ended !== undefined) {
              return ended
            }
          }
        }
      })
    ))
  })

  private readonly begin = Effect.fnUntraced({ self: this }, function*(
    restore: Restore
  ): Effect.fn.Return<Fenced | undefined, StoreError> {
    const { checkpoint: { name: reader }, processor, store } = this.options
    const { saved } = this.saves.progress
    const lost = yield* lookAgain(this.hands, { processor, reader }, restore)
    if (lost !== undefined) return lost
    // What was parked beyond the checkpoint was parked before a reset: it's met again.
    const met = (yield* this.aside.load(saved)).filter(({ value }) => value.position > saved)
    if (met.length === 0) return undefined
    const ops = met.map(({ key, revision }) => parked(store).ops.delete(key, { expected: revision }))
    return (yield* this.saves.apart(ops)) ?? (yield* Effect.as(this.aside.load(saved), undefined))
  })

  // Whoever waited for its turn while the other one stopped the partition has none any more.
  private turn(own: Effect.Effect<Ended | undefined, StoreError, R>) {
    return this.turns.withPermit(
      Effect.suspend(() => this.attempts.stopped === undefined ? own : Effect.succeed(this.attempts.stopped))
    )
  }

  /** Does what is due, one thing after the other, when it is, in turns with the events. */
  private readonly ring = (alarm: Alarm<R>): Effect.Effect<Ended, StoreError, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        while (true) {
          yield* this.saves.bell.close
          const wait = yield* this.deadlines.wait(yield* alarm.next, this.looked)
          if (wait > 0) yield* restore(Effect.raceFirst(this.saves.bell.await, Effect.sleep(wait)))
          else {
            const met = yield* this.turn(this.fire(alarm, restore))
            if (met !== undefined) return met
            yield* restore(Effect.void)
          }
        }
      })
    )

  private readonly fire = Effect.fnUntraced({ self: this }, function*(
    alarm: Alarm<R>,
    restore: Restore
  ): Effect.fn.Return<Ended | undefined, StoreError, R> {
    const { failed, fenced } = yield* this.sight.alarm(this.due(alarm))
    if (failed === undefined) {
      this.attempts.over()
      return fenced
    }
    // An alarm can't be put aside: what is due after it may rest on it.
    return (yield* this.saves.confirm) ?? ((yield* this.fail(failed, restore)) ? this.attempts.stop(failed) : undefined)
  })

  private readonly due = Effect.fnUntraced({ self: this }, function*(
    alarm: Alarm<R>
  ): Effect.fn.Return<Stretch, StoreError, R> {
    const step = yield* this.inHand.during([], alarm.fire)
    const { count, failed, ops } = step
    const unsaved = failed !== undefined || ops.length === 0
      ? undefined
      : yield* this.saves.keep(this.saves.progress.saved, step)
    if (failed === undefined && unsaved === undefined) step.committed?.()
    return { count, failed, fenced: undefined, ...unsaved }
  })

  private readonly take = Effect.fnUntraced({ self: this }, function*(
    { own, through }: Batch,
    restore: Restore
  ): Effect.fn.Return<Ended | undefined, StoreError, R> {
    let done = 0
    while (done < own.length) {
      const { count, failed, fenced } = yield* this.sight.stretch(own, done, this.stretch(own, done, through))
      if (fenced !== undefined) return fenced
      done += count
      const met = failed === undefined ? undefined : yield* this.failed(own[done], failed, restore)
      if (met === "parked") done++
      else if (met !== undefined) return met
      yield* restore(Effect.void)
    }
    this.looked = through
    this.aside.passed()
    yield* this.saves.bell.open
    return own.length === 0 && this.saves.progress.passed(through) ? yield* this.saves.save(through, []) : undefined
  })

  /** Handles the events that can be handled together from one on, as many as go into one commit, and saves that. */
  private readonly stretch = Effect.fnUntraced({ self: this }, function*(
    own: ReadonlyArray<Keyed>,
    from: number,
    through: Position,
    most = own.length
  ): Effect.fn.Return<Stretch, StoreError, R> {
    const reached = (count: number) =>
      own[from + count] === undefined ? through : own[from + count - 1]?.event.position ?? through
    const portion = this.aside.portion(own, from, most)
    const { length, ready, waiting } = portion
    if (length === 0) return { count: 0, failed: own[from]?.fault, fenced: undefined }
    const puts = waiting.flatMap((each) => this.aside.pass(each))
    const taken = (handled: number) => this.aside.taken(ready.slice(0, handled))
    // With nothing to be handled they take one commit; otherwise what comes of the others may need all of its room.
    const fenced = ready.length === 0 || puts.length === 0 ? undefined : yield* this.saves.apart(puts)
    if (fenced !== undefined) return { count: 0, failed: undefined, fenced }
    if (ready.length > 0) this.aside.waits(waiting)
    const step = ready.length === 0 ? nothing : yield* this.handle(ready, (handled) => [
      this.saves.progress.move(reached(portion.through(handled))),
      ...taken(handled)
    ])
    const { failed } = step
    const count = portion.through(step.count)
    if (count === 0) return { count, failed, fenced: undefined }
    const position = reached(count)
    const unsaved = yield* this.saves.keep(position, step, ready.length === 0 ? puts : taken(step.count))
    if (unsaved !== undefined && "fenced" in unsaved) return { count, failed, ...unsaved }
    if (unsaved !== undefined) {
      // One of them expects what isn't so, or they are too much together: those before it can be done with.
      if (count > 1) return yield* this.stretch(own, from, through, Math.ceil(count / 2))
      return { count: 0, fenced: undefined, ...unsaved }
    }
    step.committed?.()
    this.looked = position
    this.saves.progress.busy(position)
    this.attempts.over()
    return { count, failed, fenced: undefined }
  })

  private readonly handle = Effect.fnUntraced({ self: this }, function*(
    events: ReadonlyArray<Keyed>,
    saving: Saving
  ): Effect.fn.Return<Handled, StoreError, R> {
    const { work } = this.options.assignment
    const { inHand } = this
    const given = events.map(({ event }) => event)
    const handled = yield* inHand.during(given, work.handle(given, this.attempts.failed.length, saving, inHand.next))
    return yield* Effect.as(this.sight.handled(handled.count), handled)
  })

  private readonly failed = Effect.fnUntraced({ self: this }, function*(
    event: Keyed | undefined,
    cause: Cause.Cause<unknown>,
    restore: Restore
  ): Effect.fn.Return<Ended | "parked" | undefined, StoreError> {
    const overtaken = yield* this.saves.confirm
    if (overtaken !== undefined) return overtaken
    if (!(yield* this.fail(cause, restore, event?.isFinal))) return undefined
    if (event === undefined || this.options.policy.finally === "stop") return this.attempts.stop(cause)
    const op = this.aside.park(event, this.attempts.failed)
    this.attempts.over()
    const fenced = yield* this.saves.save(event.event.position, [op])
    this.aside.hold(event.keys)
    return fenced ?? "parked"
  })

  private fail(cause: Cause.Cause<unknown>, restore: Restore, isFinal?: boolean) {
    return Effect.andThen(this.sight.failed, this.attempts.fail(cause, restore, isFinal))
  }
}

const nothing: Handled = { count: 0, ops: [], failed: undefined }
