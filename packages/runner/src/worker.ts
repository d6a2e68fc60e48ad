/** The run of one partition by whoever has its lease: page after page, each saved with what came of it. */
import {
  type Checkpoint,
  type Entry,
  type Event,
  type Fenced,
  Position,
  type StoreError,
  type StoreShape
} from "@persist/core"
import { wakeUpsEnded } from "@persist/core/progress"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { Attempts, type Restore, type Stopped } from "./attempts.ts"
import { type Batch, batches } from "./batches.ts"
import { Deadlines } from "./deadline.ts"
import { describe, type Policy } from "./failure.ts"
import { type Parked, parked, type PartitionReport } from "./names.ts"
import { Aside, givenUp, type Keyed } from "./parked.ts"
import type { Alarm, Assignment, Handled, Saving } from "./processor.ts"
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
  private readonly deadlines: Deadlines

  constructor(options: WorkerOptions<R>) {
    const { assignment, checkpoint, processor, store } = options
    this.options = options
    this.attempts = new Attempts(options.policy)
    this.saves = new Saves(store, checkpoint)
    this.looked = checkpoint.position
    this.aside = new Aside(store, processor, checkpoint.name)
    this.sight = new Sight(processor, checkpoint.name)
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
    Effect.flatMap(Effect.uninterruptible(this.begin), (fenced) => {
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
        const pull = yield* Stream.toPull(batches(store, source, this.saves.progress.saved, work.keysOf))
        while (true) {
          const read = yield* restore(Pull.catchDone(pull, () => Effect.undefined))
          if (read === undefined) return yield* wakeUpsEnded(store)
          for (const batch of read) {
            const ended = yield* this.turn(
              Effect.flatMap(this.aside.settle(this.again), (met) =>
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

  // What was parked beyond the checkpoint was parked before a reset: it's met again.
  private readonly begin = Effect.suspend(() =>
    Effect.flatMap(this.aside.load, (entries) => {
      const ahead = entries.filter(({ value }) => value.position > this.saves.progress.saved)
      if (ahead.length === 0) return Effect.undefined
      const ops = ahead.map(({ key }) => parked(this.options.store).ops.delete(key))
      return Effect.andThen(this.saves.save(this.saves.progress.saved, ops), (fenced) =>
        fenced === undefined ? Effect.as(this.aside.load, undefined) : Effect.succeed(fenced))
    })
  )

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
    const step = yield* alarm.fire
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
    const end = Math.min(this.aside.endFrom(own, from), from + most)
    const step = end === from
      ? this.aside.passOver(own[from])
      : yield* this.handle(own.slice(from, end), (count) => [this.saves.progress.move(reached(count))])
    const { count, failed } = step
    if (count === 0) return { count, failed, fenced: undefined }
    const position = reached(count)
    const unsaved = yield* this.saves.keep(position, step)
    if (unsaved !== undefined && "fenced" in unsaved) return { count, failed, ...unsaved }
    if (unsaved !== undefined) {
      // One of them expects what isn't so: those before it can be done with.
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
    const handled = yield* work.handle(events.map(({ event }) => event), this.attempts.failed.length, saving)
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

  /** Tries a parked event again; answers whether it's done with. */
  private readonly again = Effect.fnUntraced({ self: this }, function*(
    entry: Entry<Parked>
  ): Effect.fn.Return<Fenced | boolean, StoreError, R> {
    const { key, revision, value } = entry
    const read = this.options.assignment.source.read(Position(value.position - 1), Position(value.position))
    const { failed, fenced } = yield* Effect.matchEffect(read, {
      // It can't be decoded yet.
      onFailure: (error) =>
        error._tag === "Corrupt"
          ? Effect.succeed<Stretch>({ count: 0, failed: Cause.fail(error), fenced: undefined })
          : Effect.fail(error),
      onSuccess: ({ items }) => {
        const found = items.map((event) => ({ event, keys: value.keys }))
        return this.sight.stretch(found, 0, this.release(entry, items))
      }
    })
    if (failed === undefined) return fenced ?? true
    yield* this.sight.failed
    const attempts = [...value.attempts, { at: yield* Clock.currentTimeMillis, error: describe(failed) }]
    // What somebody says of it meanwhile counts more.
    yield* parked(this.options.store).put(key, { ...value, state: "parked", attempts }, { expected: revision })
    return false
  })

  private readonly release = Effect.fnUntraced({ self: this }, function*(
    { key, value }: Entry<Parked>,
    items: ReadonlyArray<Event>
  ): Effect.fn.Return<Stretch, StoreError, R> {
    const { assignment: { work }, store } = this.options
    // What was truncated meanwhile can't be handled any more, and holds nobody back.
    const release = parked(store).ops.delete(key)
    const step: Handled = items.length === 0
      ? yield* givenUp(value)
      : yield* work.handle(
        items,
        value.attempts.length,
        () => [this.saves.progress.move(this.saves.progress.saved), release]
      )
    if (step.failed !== undefined) return { count: 0, failed: step.failed, fenced: undefined }
    const unsaved = yield* this.saves.keep(this.saves.progress.saved, step, [release])
    if (unsaved !== undefined) return { count: 0, failed: undefined, fenced: undefined, ...unsaved }
    step.committed?.()
    yield* this.sight.handled(items.length)
    return { count: items.length, failed: undefined, fenced: undefined }
  })
}
