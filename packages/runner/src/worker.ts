/** The run of one partition by whoever has its lease: page after page, each saved with what came of it. */
import {
  type Checkpoint,
  type Entry,
  type Event,
  type Fenced,
  type Op,
  type Page,
  Position,
  type StoreError,
  type StoreShape
} from "@persist/core"
import { followPages } from "@persist/core/event-pages"
import { Progress, wakeUpsEnded } from "@persist/core/progress"
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Pull from "effect/Pull"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { Attempts, type Restore, type Stopped } from "./attempts.ts"
import { describe, type Policy } from "./failure.ts"
import { type Parked, parked, type PartitionReport } from "./names.ts"
import { Aside, givenUp, type Keyed, keyed } from "./parked.ts"
import type { Alarm, Assignment, Handled, Saving } from "./processor.ts"

/** Why a partition's run has ended by itself. */
export type Ended = Fenced | Stopped

// A clock that was set meanwhile is noticed after this many milliseconds.
const longestWait = 60_000

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
  private readonly progress: Progress
  private readonly aside: Aside
  private handled = 0
  /** Events and alarms take turns. */
  private readonly turns = Semaphore.makeUnsafe(1)
  /** Open since something was saved. */
  private readonly bell = Latch.makeUnsafe(false)
  private looked: Position
  private readonly attempts: Attempts

  constructor(options: WorkerOptions<R>) {
    const { checkpoint, processor, store } = options
    this.options = options
    this.attempts = new Attempts(options.policy)
    this.progress = new Progress(store, checkpoint)
    this.looked = checkpoint.position
    this.aside = new Aside(store, processor, checkpoint.name)
  }

  /** How it fares; `rate` is the caller's to find out. */
  get report(): Omit<PartitionReport, "rate"> {
    return {
      reader: this.options.checkpoint.name,
      state: this.attempts.state,
      position: this.looked,
      handled: this.handled,
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
        const pull = yield* Stream.toPull(followPages(store, assignment.source, this.progress.saved))
        while (true) {
          const pages = yield* restore(Pull.catchDone(pull, () => Effect.undefined))
          if (pages === undefined) return yield* wakeUpsEnded(store)
          for (const page of pages) {
            const ended = yield* this.turn(
              Effect.flatMap(this.settle, (met) => met === undefined ? this.take(page, restore) : Effect.succeed(met))
            )
            if (ended !== undefined) return ended
          }
        }
      })
    ))
  })

  // What was parked beyond the checkpoint was parked before a reset: it's met again.
  private readonly begin = Effect.suspend(() =>
    Effect.flatMap(this.aside.load, (entries) => {
      const ahead = entries.filter(({ value }) => value.position > this.progress.saved)
      if (ahead.length === 0) return Effect.undefined
      const ops = ahead.map(({ key }) => parked(this.options.store).ops.delete(key))
      return Effect.andThen(this.save(this.progress.saved, ops), (fenced) =>
        fenced === undefined ? Effect.as(this.aside.load, undefined) : Effect.succeed(fenced))
    })
  )

  // Whoever waited for its turn while the other one stopped the partition has none any more.
  private turn(own: Effect.Effect<Ended | undefined, StoreError, R>) {
    return this.turns.withPermit(
      Effect.suspend(() => this.attempts.stopped === undefined ? own : Effect.succeed(this.attempts.stopped))
    )
  }

  private save(position: Position, ops: ReadonlyArray<Op>) {
    // What was saved may have set another alarm.
    return Effect.tap(this.progress.save(position, ops), this.bell.open)
  }

  /** Saves what came of events, unless the work has done so. */
  private keep(position: Position, { ops, outcome }: Handled, also: ReadonlyArray<Op> = []) {
    return outcome === undefined
      ? this.save(position, [...also, ...ops])
      : Effect.sync(() => this.progress.settle(position, outcome))
  }

  /** Does what is due, one thing after the other, when it is, in turns with the events. */
  private readonly ring = (alarm: Alarm<R>): Effect.Effect<Ended, StoreError, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen({ self: this }, function*() {
        while (true) {
          yield* this.bell.close
          const next = yield* alarm.next
          const wait = Option.isNone(next) ? longestWait : next.value - (yield* Clock.currentTimeMillis)
          if (wait > 0) yield* restore(Effect.raceFirst(this.bell.await, Effect.sleep(Math.min(wait, longestWait))))
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
    const { committed, failed, ops } = yield* alarm.fire
    // An alarm can't be put aside: what is due after it may rest on it.
    if (failed !== undefined) {
      return (yield* this.confirm) ??
        ((yield* this.attempts.fail(failed, restore)) ? this.attempts.stop(failed) : undefined)
    }
    this.attempts.over()
    const fenced = ops.length === 0 ? undefined : yield* this.save(this.progress.saved, ops)
    if (fenced === undefined) committed?.()
    return fenced
  })

  private readonly take = Effect.fnUntraced({ self: this }, function*(
    { items, through }: Page<Event>,
    restore: Restore
  ): Effect.fn.Return<Ended | undefined, StoreError, R> {
    const { keysOf } = this.options.assignment.work
    const own = items.flatMap((event) => keyed(event, keysOf))
    let done = 0
    const reached = (next: number) => next === own.length ? through : own[next - 1]?.event.position ?? through
    while (done < own.length) {
      const [from, end] = [done, this.endFrom(own, done)]
      const step = end === from
        ? yield* this.passOver(own, from)
        : yield* this.handle(own.slice(from, end), (count) => [this.progress.move(reached(from + count))])
      if (step.count > 0) {
        done += step.count
        const position = reached(done)
        const fenced = yield* this.keep(position, step)
        if (fenced !== undefined) return fenced
        step.committed?.()
        this.looked = position
        this.progress.busy(position)
      }
      const met = step.failed === undefined ? undefined : yield* this.failed(own[done], step.failed, restore)
      if (met === "parked") done++
      else if (met !== undefined) return met
      yield* restore(Effect.void)
    }
    this.looked = through
    return own.length === 0 && this.progress.passed(through) ? yield* this.save(through, []) : undefined
  })

  /** Where the events end that can be handled together from one on; there, where it can't be handled itself. */
  private endFrom(own: ReadonlyArray<Keyed>, start: number): number {
    const stop = own.findIndex((each, i) => i >= start && !this.isReady(each))
    return stop === -1 ? own.length : stop
  }

  private isReady(each: Keyed): boolean {
    return each.fault === undefined && !this.aside.isBehind(each) && !this.aside.isDropped(each)
  }

  // One that is dropped is passed; one behind another is parked behind it.
  private passOver(own: ReadonlyArray<Keyed>, at: number): Effect.Effect<Handled> {
    const each = own[at]
    const isOver = each === undefined || this.aside.isDropped(each)
    if (!isOver && !this.aside.isBehind(each)) return Effect.succeed({ count: 0, ops: [], failed: each.fault })
    const ops = isOver ? [] : [this.aside.park(each, [])]
    return Effect.succeed({ count: 1, ops, failed: undefined })
  }

  private readonly handle = Effect.fnUntraced({ self: this }, function*(
    events: ReadonlyArray<Keyed>,
    saving: Saving
  ): Effect.fn.Return<Handled, StoreError, R> {
    const { handle } = this.options.assignment.work
    const handled = yield* handle(events.map(({ event }) => event), this.attempts.failed.length, saving)
    this.handled += handled.count
    if (handled.count > 0) this.attempts.over()
    return handled
  })

  private readonly failed = Effect.fnUntraced({ self: this }, function*(
    event: Keyed | undefined,
    cause: Cause.Cause<unknown>,
    restore: Restore
  ): Effect.fn.Return<Ended | "parked" | undefined, StoreError> {
    const overtaken = yield* this.confirm
    if (overtaken !== undefined) return overtaken
    if (!(yield* this.attempts.fail(cause, restore))) return undefined
    if (event === undefined || this.options.policy.finally === "stop") return this.attempts.stop(cause)
    const op = this.aside.park(event, this.attempts.failed)
    this.attempts.over()
    const fenced = yield* this.save(event.event.position, [op])
    this.aside.hold(event.keys)
    return fenced ?? "parked"
  })

  // Who was overtaken without knowing meets what the others have made since, and may fail at that: a failure counts
  // only where the partition is still its own.
  private readonly confirm = Effect.suspend(() => this.save(this.progress.saved, []))

  // Goes through what was parked, in order, where somebody said something of it: what is to be tried again is tried,
  // and then what only waited behind it.
  private readonly settle = Effect.suspend((): Effect.Effect<Ended | undefined, StoreError, R> =>
    Effect.flatMap(
      this.aside.changed,
      (changed) => changed ? Effect.flatMap(this.aside.load, (waiting) => this.settleAll(waiting)) : Effect.undefined
    )
  )

  private readonly settleAll = Effect.fnUntraced({ self: this }, function*(
    waiting: ReadonlyArray<Entry<Parked>>
  ): Effect.fn.Return<Ended | undefined, StoreError, R> {
    const held = new Set<string>()
    for (const entry of waiting) {
      const { keys, state } = entry.value
      const tried = state === "parked" || keys.some((key) => held.has(key)) ? false : yield* this.again(entry)
      if (tried === false) { for (const key of keys) held.add(key) }
      else if (tried !== true) return tried
    }
    this.aside.holdOnly(held)
    return undefined
  })

  /** Tries a parked event again; answers whether it's done with. */
  private readonly again = Effect.fnUntraced({ self: this }, function*(
    { key, revision, value }: Entry<Parked>
  ): Effect.fn.Return<Fenced | boolean, StoreError, R> {
    const { assignment: { source, work }, store } = this.options
    const { items } = yield* source.read(Position(value.position - 1), Position(value.position))
    // What was truncated meanwhile can't be handled any more, and holds nobody back.
    const release = parked(store).ops.delete(key)
    const step: Handled = items.length === 0
      ? yield* givenUp(value)
      : yield* work.handle(items, value.attempts.length, () => [this.progress.move(this.progress.saved), release])
    if (step.failed === undefined) {
      const fenced = yield* this.keep(this.progress.saved, step, [release])
      if (fenced !== undefined) return fenced
      step.committed?.()
      this.handled += items.length
      return true
    }
    const attempts = [...value.attempts, { at: yield* Clock.currentTimeMillis, error: describe(step.failed) }]
    // What somebody says of it meanwhile counts more.
    yield* parked(store).put(key, { ...value, state: "parked", attempts }, { expected: revision })
    return false
  })
}
