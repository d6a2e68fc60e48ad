/** What laws of processors give a store and wait for. */
import { anyEvents, type EventOf, type StoreError, type StoreShape } from "@persist/core"
import type { Health } from "@persist/runner"
import { runners } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { type Broken, broken, equal, every, show } from "./assertion.ts"
import { eachVerb } from "./oddballs.ts"
import type { Change } from "./store-law.ts"

/** An event of a law's log. */
export type Happened = EventOf<typeof anyEvents>

/** Names of streams that are in different ones of two, three and four partitions. */
export const streams: ReadonlyArray<string> = Array.from({ length: 12 }, (_, n) => `s${n}`)

/** Appends to each of some streams the numbers from one to another, in turn: a commit for each number. */
export const fillEach = (
  store: StoreShape,
  names: ReadonlyArray<string>,
  to: number,
  from = 1
): Effect.Effect<void, StoreError> => {
  const { ops } = store.log()
  return Effect.forEach(
    Array.from({ length: to - from + 1 }, (_, n) => n + from),
    (data) => store.commit(names.map((name) => ops.append(name, { type: "T", data }, { expected: "any" }))),
    { discard: true }
  )
}

/** What was given to a handler, as `stream/data`, in its order. */
export class Given {
  readonly all: Array<string> = []
  private readonly queue = Effect.runSync(Queue.unbounded<void>())

  /** Notes an event. */
  readonly note = ({ data, stream }: Happened): Effect.Effect<void> =>
    Effect.suspend(() => {
      this.all.push(`${stream}/${show(data)}`)
      return Effect.asVoid(Queue.offer(this.queue, undefined))
    })

  /** Waits until there were so many. */
  readonly until = (many: number): Effect.Effect<void> =>
    Effect.whileLoop({
      while: () => this.all.length < many,
      body: () => Queue.take(this.queue),
      step: () => undefined
    })

  /** Fails unless each of some streams was given whole, once and in order, and nothing else. */
  readonly isEach = (names: ReadonlyArray<string>, to: number): Effect.Effect<void, Broken> =>
    Effect.andThen(
      equal("number of events that were given", this.all.length, names.length * to),
      every("streams", names, (name) => {
        const own = this.all.filter((each) => each.startsWith(`${name}/`))
        return own.length === to && own.every((each, n) => each === `${name}/${n + 1}`)
      })
    )
}

/** Waits until something is so, looking after every commit, and gives it. */
export const soon = <A, E>(
  store: StoreShape,
  ask: Effect.Effect<A, E>,
  there: (answer: A) => boolean
): Effect.Effect<A, E | StoreError | Broken> =>
  store.changes.pipe(
    Stream.mapEffect(() => ask),
    Stream.filter(there),
    Stream.runHead,
    Effect.flatMap((found) =>
      found._tag === "Some" ? Effect.succeed(found.value) : broken("the store's changes should not end")
    )
  )

/** A backend whose process stands still from one moment to another. */
export const freezing = (): { readonly change: Change; readonly freeze: () => void; readonly thaw: () => void } => {
  const goOn = Latch.makeUnsafe(true)
  return {
    change: (backend) => eachVerb(backend, (verb) => Effect.andThen(Effect.suspend(() => goOn.await), verb)),
    freeze: () => goOn.closeUnsafe(),
    thaw: () => goOn.openUnsafe()
  }
}

/** By label, who runs each partition of the first processor that is run by somebody. */
export const runnersOf = <E>(asked: Effect.Effect<Health, E>): Effect.Effect<ReadonlyArray<string>, E> =>
  Effect.map(
    asked,
    ({ processors: [one] }) =>
      (one?.partitions ?? []).flatMap(({ runner }) => runner === undefined ? [] : [runner.label])
  )

/**
 * Waits until a runner has looked around since: it has removed the record of one who is dead, and then of another.
 */
export const untilLooked = Effect.fnUntraced(function*(store: StoreShape, label: string) {
  const records = runners(store)
  const there = Effect.map(Stream.runCollect(records.scan()), (all) => all.some(({ value }) => value.label === label))
  yield* soon(store, there, (is) => is)
  for (const id of ["dead", "dead again"]) {
    yield* records.put(id, { label: id, startedAt: 0, patience: 0, processors: [], partitions: [] })
    yield* soon(store, records.has(id), (is) => !is)
  }
})
