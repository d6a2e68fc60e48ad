/** The runner: shows that it's alive, sees who else is, and runs the partitions that are its own. */
import { type Event, mustReopen, type Position, type StoreError, type StoreShape } from "@persist/core"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import { Feed } from "./feed.ts"
import { enlist, ownerOf } from "./known.ts"
import { LastFailures } from "./last-failures.ts"
import { giveBack, takeLease } from "./lease.ts"
import { Losses } from "./losses.ts"
import { type RunnerRecord, runners } from "./names.ts"
import { isOutage } from "./outage.ts"
import { partitionsOf } from "./partition.ts"
import type { Processor } from "./processor.ts"
import type { RecentPages } from "./recent-pages.ts"
import { isLasting, Refusals } from "./refusals.ts"
import { paceOf, type RunnerOptions } from "./runner-options.ts"
import { inHandText, type Own, reportOf, type Running, runningOf } from "./running.ts"
import { monotonicMillis, Sightings } from "./sightings.ts"
import { withOwnRemedy } from "./stale.ts"
import { lookAround, shareOf, type View } from "./view.ts"
import { Worker } from "./worker.ts"

/** What a runner does, from a look to the next one, and in the end. */
export class Runner<R> {
  private readonly store: StoreShape
  private readonly own: ReadonlyArray<Own<R>>
  private readonly label: string
  private readonly patience: number
  private readonly staying: boolean
  private readonly startedAt: number
  private readonly sightings = new Sightings()
  private readonly running = new Map<string, Running<R>>()
  private readonly refusals = new Refusals()
  private readonly lastFailures: LastFailures
  private readonly feed: Feed
  private readonly losses: Losses
  /** Pages of a processor of several partitions, by its name. */
  private readonly decoded = new Map<string, RecentPages<Event>>()
  private enlisted = false
  private id: string = crypto.randomUUID()
  private record: { readonly revision: Position; readonly at: number } | undefined

  constructor(
    store: StoreShape,
    processors: ReadonlyArray<Processor<R>>,
    options: RunnerOptions,
    startedAt: number
  ) {
    this.store = store
    this.feed = new Feed(store)
    this.losses = new Losses(store)
    this.lastFailures = new LastFailures(store)
    this.startedAt = startedAt
    const { label, whenStopped = "stay" } = options
    this.patience = paceOf(options).patience
    this.staying = whenStopped === "stay"
    this.label = label ?? this.id
    this.own = processors.flatMap((processor) =>
      partitionsOf(processor.partitions).map((partition) => ({
        processor,
        partition,
        reader: processor.readerOf(partition)
      }))
    )
  }

  /** Shows itself, looks around, and makes what runs here what should. */
  readonly look: Effect.Effect<void, StoreError, R> = Effect.suspend(() =>
    Effect.gen({ self: this }, function*() {
      const now = yield* monotonicMillis
      if (this.record === undefined || now - this.record.at >= this.patience / 3) yield* this.show(now)
      if (!this.enlisted) yield* this.enlist
      const view = yield* lookAround(this.store, this.sightings, now)
      const mine = shareOf(this.id, this.own, view)
      yield* this.reap
      // What a handler has in hand may take longer than the others' patience: it's waited for again with the next look.
      const leaving = this.drop((running) =>
        !mine.has(running.own.reader) || this.wasToldSince(running, view) || this.hasLost(running, view)
      )
      yield* Effect.timeoutOption(leaving, this.patience / 3)
      yield* this.clear(mine, view)
      // Those that are taken together begin together, and so go through the log together.
      const start = Latch.makeUnsafe(false)
      yield* Effect.ensuring(
        Effect.forEach(this.own, (own) => {
          if (mine.has(own.reader)) return this.takeIfItCan(own, view, now, start)
          this.refusals.clear(own.reader)
          return Effect.void
        }, { discard: true }),
        start.open
      )
      yield* this.losses.tell
      yield* this.bury(view)
      yield* this.feed.expire
    })
  )

  private readonly enlist = Effect.suspend(() => {
    const processors = new Set(this.own.map(({ processor }) => processor))
    const refused = Effect.forEach(processors, ({ refuse }) => refuse?.(this.store) ?? Effect.void, { discard: true })
    return Effect.map(Effect.andThen(refused, enlist(this.store, processors)), () => {
      this.enlisted = true
    })
  })

  private readonly show = Effect.fnUntraced({ self: this }, function*(at: number): Effect.fn.Return<void, StoreError> {
    const record: RunnerRecord = {
      label: this.label,
      startedAt: this.startedAt,
      patience: this.patience,
      processors: Array.from(new Set(this.own.map(({ processor }) => processor.name))),
      partitions: [...this.refusals.reports, ...Array.from(this.running.values(), (running) => reportOf(running, at))]
    }
    const shown = yield* runners(this.store).put(this.id, record, { expected: this.record?.revision ?? "absent" })
    if (shown._tag === "Committed") {
      this.record = { revision: shown.revision, at }
      return
    }
    // Nobody else writes this record: where it's there, it was written by a call whose answer got lost.
    const own = yield* runners(this.store).entry(this.id)
    this.record = own._tag === "Some" ? { revision: own.value.revision, at } : undefined
    if (own._tag === "Some") return
    // Others took it for dead: what it ran is theirs, and fenced. It begins again as somebody else, who has nothing;
    // and what it runs may have been forgotten meanwhile.
    this.id = crypto.randomUUID()
    this.enlisted = false
    yield* this.show(at)
  })

  /** Whether its lease is another's by now, or nobody's: it was overtaken, and is fenced or about to be. */
  private hasLost({ own }: Running<R>, { leases: held }: View): boolean {
    return held.get(own.reader)?.value.runner !== this.id
  }

  private wasToldSince({ control, own }: Running<R>, { controls: said }: View): boolean {
    return said.get(own.processor.name)?.revision !== control
  }

  /** Forgets the partitions whose run has ended, but for those that are stopped: these stay here. */
  private readonly reap = Effect.suspend(() =>
    Effect.forEach(Array.from(this.running), ([reader, { control, fiber, worker }]) => {
      const exit = fiber.pollUnsafe()
      if (exit === undefined) return Effect.void
      if (Exit.isSuccess(exit) && exit.value._tag === "Stopped") {
        this.feed.leave(reader)
        const noted = this.lastFailures.note(reader, worker.report.error)
        return this.staying ? noted : Effect.andThen(noted, Effect.die(Cause.squash(exit.value.cause)))
      }
      this.running.delete(reader)
      this.feed.leave(reader)
      return Exit.isFailure(exit) ? this.failed(reader, exit.cause, control) : Effect.void
    }, { discard: true })
  )

  /** Notes what would only fail again; the rest is tried again with the next look. */
  private readonly failed = Effect.fnUntraced({ self: this }, function*(
    reader: string,
    cause: Cause.Cause<StoreError>,
    control: Position | undefined
  ): Effect.fn.Return<void, StoreError> {
    // It has left, later than was waited for.
    if (Cause.hasInterruptsOnly(cause)) return
    const error = Option.getOrUndefined(Cause.findErrorOption(cause))
    if (error !== undefined && mustReopen(error)) return yield* Effect.fail(error)
    if (!isLasting(cause)) {
      // That the store can't be reached is told once, of all that runs here.
      const tell = isOutage(cause) ? Effect.logDebug : Effect.logWarning
      return yield* tell(`the run of ${reader} ended, and is tried again`, cause)
    }
    const since = yield* monotonicMillis
    const refused = this.refusals.note(reader, cause, { since, control, at: yield* Clock.currentTimeMillis })
    yield* this.lastFailures.note(reader, refused)
    if (!this.staying) return yield* Effect.die(Cause.squash(cause))
    yield* Effect.logWarning(`${reader} can't be run as things are, and is tried again`, cause)
  })

  // What can't be run as it is keeps nothing else from running.
  private takeIfItCan(own: Own<R>, view: View, now: number, start: Latch.Latch): Effect.Effect<void, StoreError, R> {
    const control = view.controls.get(own.processor.name)?.revision
    return this.refusals.holds(own.reader, now, control) ? Effect.void : Effect.catchCause(
      this.take(own, view, start),
      (cause) => isLasting(cause) ? this.failed(own.reader, cause, control) : Effect.failCause(cause)
    )
  }

  /** Ends the runs of partitions, each once it has finished and saved what it has in hand, and gives them back. */
  private readonly drop = (which: (running: Running<R>) => boolean): Effect.Effect<void, StoreError> =>
    Effect.suspend(() => {
      const leaving = Array.from(this.running.values()).filter(which)
      if (leaving.length === 0) return Effect.void
      const ended = Effect.forEach(leaving, ({ fiber, own }) =>
        Effect.map(Fiber.interrupt(fiber), () => {
          this.running.delete(own.reader)
          this.feed.leave(own.reader)
        }), { concurrency: "unbounded", discard: true })
      return Effect.andThen(ended, giveBack(this.store, this.id, leaving.map(({ own }) => own.reader)))
    })

  /** Gives back what it no longer runs and still has, since giving it back has failed. */
  private clear(mine: ReadonlySet<string>, { leases: held }: View): Effect.Effect<void, StoreError> {
    const stray = Array.from(held.values()).filter(({ key, value }) =>
      value.runner === this.id && !mine.has(key) && !this.running.has(key)
    )
    return stray.length === 0 ? Effect.void : giveBack(this.store, this.id, stray.map(({ key }) => key))
  }

  private readonly take = Effect.fnUntraced({ self: this }, function*(
    own: Own<R>,
    { alive, controls: said, leases: held, records }: View,
    start: Latch.Latch
  ): Effect.fn.Return<void, StoreError, R> {
    const { processor, reader } = own
    const lease = held.get(reader)
    const holder = records.find(({ key }) => key === lease?.value.runner)
    const isFree = lease === undefined || lease.value.runner === this.id ||
      !alive.some(({ key }) => key === holder?.key)
    if (this.record === undefined || this.running.has(reader) || !isFree) return
    const found = yield* withOwnRemedy(this.store, processor, processor.register(this.store, own.partition))
    const asking = { id: this.id, revision: this.record.revision }
    const checkpoint = yield* takeLease(this.store, asking, found, { lease, holder })
    if (checkpoint === undefined) return
    const store = this.feed.storeFor(reader)
    const assigned = yield* withOwnRemedy(this.store, processor, processor.assign(store, own.partition))
    this.losses.begin(processor.name, assigned.source.filter.prefix, checkpoint.position)
    const source = processor.partitions === 1
      ? assigned.source
      : this.feed.sourceFor(reader, this.decodedOnce(processor.name), assigned.source)
    const worker = new Worker({
      store,
      processor: processor.name,
      policy: processor.policy,
      checkpoint,
      assignment: { ...assigned, source }
    })
    const control = said.get(processor.name)?.revision
    const at = yield* monotonicMillis
    // It ends with the runner, which waits for it, and so has to know it; not with the look in which it begins.
    const forked = Effect.forkDetach(Effect.andThen(start.await, worker.run))
    yield* Effect.uninterruptible(Effect.map(forked, (fiber) => {
      this.refusals.clear(reader)
      this.running.set(reader, runningOf({ own, worker, fiber, control }, at))
    }))
    yield* this.lastFailures.clear(reader)
  })

  private decodedOnce(processor: string): RecentPages<Event> {
    const pages = this.decoded.get(processor) ?? this.feed.decoded()
    this.decoded.set(processor, pages)
    return pages
  }

  /** Removes the records of the dead, once nothing is theirs any more that anybody else has a program for. */
  private bury({ alive, leases: held, records }: View): Effect.Effect<void, StoreError> {
    const run = new Set(alive.flatMap(({ value }) => value.processors))
    const holding = new Set(
      Array.from(held.values()).flatMap(({ key, value }) => run.has(ownerOf(key)) ? [value.runner] : [])
    )
    const gone = records.filter(({ key }) => !holding.has(key) && !alive.some((living) => living.key === key))
    return Effect.forEach(gone, ({ key, revision }) => runners(this.store).delete(key, { expected: revision }), {
      discard: true
    })
  }

  /** Finishes what is in hand, gives everything back and is gone. */
  readonly leave: Effect.Effect<void, StoreError> = Effect.suspend(() =>
    Effect.gen({ self: this }, function*() {
      // Who ends a program and sees nothing happen should know what for.
      const telling = yield* Effect.forkDetach(Effect.andThen(Effect.sleep(toldAfter), this.tellWhatIsLeft))
      yield* this.losses.end
      yield* Effect.ensuring(this.drop(() => true), Fiber.interrupt(telling))
      yield* runners(this.store).delete(this.id)
    })
  )

  private readonly tellWhatIsLeft = Effect.suspend(() =>
    Effect.logInfo(`waiting for what is in hand: ${Array.from(this.running.values(), inHandText).join(", ")}`)
  )
}

// A handler that takes less is nothing to talk of.
const toldAfter = 500
