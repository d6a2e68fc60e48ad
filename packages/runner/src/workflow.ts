/** Workflows: a state for each instance, moved by events and timers, and what it commands in the same commit. */
import type { Catalogue, Entry, Event, EventOf, Expected, InputOf, Kv, Op, PureSchema, StoreShape } from "@persist/core"
import { type Causation, Invalid } from "@persist/core"
import { place } from "@persist/core/model-fault"
import { quoted } from "@persist/core/path"
import { seedThunk } from "@persist/core/seed"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { instancesOf } from "./names.ts"
import { linked, type Origin, originOf, originOfTimer, withCausation } from "./origin.ts"
import { keysIn, type Partition, readerOf } from "./partition.ts"
import { type Handled, type Processor, type ProcessorDefinition, processorOf, type Work } from "./processor.ts"
import { type Timer, timerKey, timers, timersOf } from "./timers.ts"

/** A timer of an instance has run out. */
export interface TimerFired {
  readonly type: "$timer"
  /** Its name, as it was set. */
  readonly timer: string
  /** When it was due, in milliseconds since 1970. */
  readonly at: number
}

/** Events to append, in the commit of the step that commands it. */
export interface Command<I> {
  readonly stream: string
  readonly events: ReadonlyArray<I>
  /** What must be so; `"any"` by default. Where it isn't, nothing happens, and the event has failed. */
  readonly expected?: Expected | undefined
}

/** What a step comes to. */
export interface Step<A, I> {
  /** The instance's next state; `undefined` ends it: its state and its timers are gone. */
  readonly state: A | undefined
  readonly commands?: ReadonlyArray<Command<I>> | undefined
  /**
   * When each of these timers runs out, in milliseconds since 1970, whatever it was before; `undefined` stops it. What
   * was in the log by then is met before it fires, however late both are.
   */
  readonly timers?: Readonly<Record<string, number | undefined>> | undefined
}

/** A workflow, also known as process manager or saga. */
export interface WorkflowDefinition<C extends Catalogue, A, T extends Catalogue>
  extends Omit<ProcessorDefinition<C>, "key">
{
  /** Which instance an event is for; `undefined` for none. Pure. */
  readonly correlate: (event: EventOf<C>) => string | undefined
  /** The state of an instance before its first event. */
  readonly seed: NoInfer<A> | (() => NoInfer<A>)
  /** What one more event, or a timer, makes of an instance. Pure: the time is the event's, or the timer's. */
  readonly step: (state: NoInfer<A>, happened: EventOf<C> | TimerFired) => Step<NoInfer<A>, InputOf<T>>
  /** How a state is stored. */
  readonly state: PureSchema<A>
  /** The events that its commands append. */
  readonly commands: T
}

/** A workflow as a processor, and the states of its instances. */
export interface Workflow<A> extends Processor {
  /** An instance's state; none where it hasn't begun, or has ended. Fails as every read. */
  readonly stateOf: (store: StoreShape, instance: string) => ReturnType<Kv<A>["get"]>
}

interface Instance<A> {
  readonly state: A
  readonly timers: Readonly<Record<string, number>>
}

/**
 * Makes a processor of a workflow: each event and each timer moves its instance exactly once, and what it commands
 * happens in that commit. Timers are kept in the store and fired by whoever runs the instance's partition then. A wrong
 * definition throws `Invalid`, naming the field.
 */
export const workflow = <C extends Catalogue, A, T extends Catalogue>(
  definition: WorkflowDefinition<C, A, T>
): Workflow<A> => {
  const { commands, correlate, seed, state, step, ...rest } = definition
  const fresh = Result.getOrThrow(seedThunk(seed))
  const schema = Schema.Struct({ state, timers: Schema.Record(Schema.String, Schema.Number) })
  const instances = (store: StoreShape): Kv<Instance<A>> => store.system(instancesOf(definition.name), schema)
  const processor = processorOf<C, never>({ ...rest, key: (event) => correlate(event) ?? "" }, {
    kind: "workflow",
    guarantee: "exactly once",
    work: (store, partition, key) =>
      workOf({
        name: definition.name,
        store,
        partition,
        correlate: key,
        instances: instances(store),
        fresh,
        // It is given what its own source has read.
        step: step as (state: A, happened: Event | TimerFired) => Step<A, InputOf<T>>,
        append: ({ events, expected = "any", stream }, caused) =>
          store.log(commands).ops.append(stream, events.map((event) => withCausation(store, event, caused)), {
            expected
          })
      })
  })
  return {
    ...processor,
    stateOf: (store, instance) => Effect.map(instances(store).get(instance), Option.map((found) => found.state))
  }
}

interface Parts<A, I> {
  readonly name: string
  readonly store: StoreShape
  readonly partition: Partition
  readonly correlate: (event: Event) => string
  readonly instances: Kv<Instance<A>>
  readonly fresh: () => A
  readonly step: (state: A, happened: Event | TimerFired) => Step<A, I>
  readonly append: (command: Command<I>, caused: Causation | undefined) => Op
}

const workOf = <A, I>(parts: Parts<A, I>): Work<never> => {
  const { correlate, instances, name, partition, store } = parts
  const reader = readerOf(name, partition)
  const first = timers(store).scan({ prefix: timersOf(reader), limit: 1 })
  return {
    keysOf: (event) => keysIn(partition, correlate)(event)?.filter((instance) => instance !== ""),
    handle: (events) =>
      Effect.map(
        instances.getMany(Array.from(new Set(events.map(correlate)))),
        (found) => new Moves(parts, reader, found).take(events)
      ),
    alarm: {
      next: Effect.map(Stream.runHead(first), Option.map(({ value }) => value.at)),
      fire: Effect.flatMap(Stream.runHead(first), (due) =>
        Option.isNone(due)
          ? Effect.succeed(nothing)
          : Effect.map(instances.entry(due.value.value.instance), (found) =>
            new Moves(parts, reader, [found]).fire(due.value)).pipe(Effect.tap(linked(due.value.value))))
    }
  }
}

const nothing: Handled = { count: 0, ops: [], failed: undefined }

/** The instances of some events while they are moved, and what has to be written then. */
class Moves<A, I> {
  private readonly parts: Parts<A, I>
  private readonly reader: string
  private readonly held: Map<string, Instance<A>>
  private readonly moved = new Map<string, Instance<A> | undefined>()
  private readonly timerOps = new Map<string, Op>()
  private readonly commands: Array<Op> = []
  /** Where they append: a commit names a stream once. */
  private readonly streams = new Set<string>()

  constructor(parts: Parts<A, I>, reader: string, found: ReadonlyArray<Option.Option<Entry<Instance<A>>>>) {
    this.parts = parts
    this.reader = reader
    this.held = new Map(found.flatMap(Option.toArray).map(({ key, value }) => [key, value]))
  }

  take(events: ReadonlyArray<Event>): Handled {
    let count = 0
    for (const event of events) {
      const met = this.move(this.parts.correlate(event), event, originOf(event))
      if (met === "later") break
      if (met !== undefined) return { ...this.done(count), failed: met }
      count++
    }
    return this.done(count)
  }

  fire({ key, value }: Entry<Timer>): Handled {
    const { at, instance, timer } = value
    this.timerOps.set(key, timers(this.parts.store).ops.delete(key))
    // A timer of an instance that has ended, or that was set anew, is only removed.
    const isSet = this.held.get(instance)?.timers[timer] === at
    const met = isSet ? this.move(instance, { type: "$timer", timer, at }, originOfTimer(value)) : undefined
    return met === undefined || met === "later" ? this.done(1) : { ...nothing, failed: met }
  }

  private done(count: number): Handled {
    const { instances } = this.parts
    const states = Array.from(
      this.moved,
      ([key, instance]) => instance === undefined ? instances.ops.delete(key) : instances.ops.put(key, instance)
    )
    return { count, ops: [...states, ...this.timerOps.values(), ...this.commands], failed: undefined }
  }

  /** Moves an instance; answers why it can't be, `later` where it can't be in the same commit. */
  private move(key: string, happened: Event | TimerFired, origin: Origin): Cause.Cause<unknown> | "later" | undefined {
    const { append, fresh, step } = this.parts
    const before = this.held.get(key) ?? { state: fresh(), timers: {} }
    const left = "timer" in happened ? without(before.timers, happened.timer) : before.timers
    const stepped = Result.try(() => {
      const { commands = [], state, timers: set = {} } = step(before.state, happened)
      const ops = commands.map((command) => append(command, origin.causation))
      return { ops, streams: commands.map(({ stream }) => stream), set, state }
    })
    if (Result.isFailure(stepped)) return Cause.die(stepped.failure)
    const { ops, set, state, streams } = stepped.success
    if (streams.some((stream) => this.streams.has(stream))) return "later"
    const next = state === undefined ? undefined : { state, timers: merged(left, set) }
    const fault = next === undefined ? undefined : timeFault(next.timers, key, happened)
    if (fault !== undefined) return Cause.fail(fault)
    this.changeTimers(key, left, next?.timers ?? {}, origin)
    if (next === undefined) this.held.delete(key)
    else this.held.set(key, next)
    this.moved.set(key, next)
    this.commands.push(...ops)
    for (const stream of streams) this.streams.add(stream)
    return undefined
  }

  private changeTimers(
    instance: string,
    before: Instance<A>["timers"],
    after: Instance<A>["timers"],
    origin: Origin
  ): void {
    const { ops } = timers(this.parts.store)
    for (const [timer, at] of Object.entries(before)) {
      const key = timerKey(this.reader, at, instance, timer)
      if (after[timer] !== at) this.timerOps.set(key, ops.delete(key))
    }
    for (const [timer, at] of Object.entries(after)) {
      const key = timerKey(this.reader, at, instance, timer)
      if (before[timer] !== at) this.timerOps.set(key, ops.put(key, { instance, timer, at, ...origin }))
    }
  }
}

const without = (all: Instance<unknown>["timers"], timer: string): Instance<unknown>["timers"] =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name !== timer))

const merged = (
  before: Instance<unknown>["timers"],
  set: Readonly<Record<string, number | undefined>>
): Instance<unknown>["timers"] =>
  Object.fromEntries(
    Object.entries({ ...before, ...set }).flatMap(([timer, at]) => at === undefined ? [] : [[timer, at]])
  )

const timeFault = (
  all: Instance<unknown>["timers"],
  instance: string,
  happened: Event | TimerFired
): Invalid | undefined => {
  const [timer, at] = Object.entries(all).find(([, time]) => !Number.isSafeInteger(time) || time < 0) ?? []
  const by = "timer" in happened
    ? `timer ${quoted(happened.timer)} of instance ${quoted(instance)}`
    : `${place(happened)}, position ${happened.position}`
  return timer === undefined ? undefined : new Invalid({
    field: `timers.${timer}`,
    reason: `${at} is no time in milliseconds since 1970, set at ${by}`,
    remedy: "give when it's due, such as the event's `at` and some milliseconds more"
  })
}
