/** Laws of the options of subscriptions and readers: every one that is documented makes a difference somewhere. */
import type { RegisterOptions, StoreShape, SubscribeOptions, SubscriptionOptions } from "@persist/core"
import { anyEvents, Catalogue } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Core } from "../core.ts"
import { fill } from "../store-given.ts"
import { type Bench, storeLawOf } from "../store-law.ts"
import { different, trialOf, type Trials } from "../trial.ts"

const law = storeLawOf("store reader options")
const skipping: Catalogue = Catalogue.make({ U: Schema.Json }, { unknown: "skip" })

// The first page that a run hands over, and who is registered then.
const firstPage = Effect.fnUntraced(function*(
  store: StoreShape,
  core: Core,
  options: SubscriptionOptions<Catalogue>
) {
  const stop = core.runSubscriptionPages(store, {
    ...options,
    handle: ({ items }) => Effect.fail(items.map(({ stream, type }) => `${stream} ${type}`))
  })
  const page = yield* Effect.flip(stop)
  const readers = yield* core.listReaders(store)
  return [page, readers.map(({ name }) => name)]
})

// Which limits a store was asked for, and what it gave, until an effect was done.
const limitsAsked = Effect.fnUntraced(function*(
  { over }: Bench,
  read: (store: StoreShape) => Effect.Effect<unknown, unknown>
) {
  const limits: Array<number> = []
  const store = yield* over((backend) => ({
    ...backend,
    readAll: (range) => {
      limits.push(range.limit)
      return backend.readAll(range)
    }
  }))
  yield* Effect.exit(read(store))
  return limits[0]
})

// How far a run is saved once a page has been handled and another is in hand, without an end that would save.
const unsaved = Effect.fnUntraced(function*(
  store: StoreShape,
  core: Core,
  options: SubscriptionOptions<Catalogue>
) {
  const arrived = yield* Queue.unbounded<void>()
  const run = yield* Effect.forkChild(
    core.runSubscriptionPages(store, {
      ...options,
      handle: ({ items }) =>
        Effect.andThen(
          Queue.offer(arrived, undefined),
          items.some(({ data }) => data === 4) ? Effect.interruptible(Effect.never) : Effect.void
        )
    }),
    { startImmediately: true }
  )
  yield* Effect.forEach([1, 2, 3, 4], () => Queue.take(arrived))
  const checkpoint = yield* core.readCheckpoint(store, options.name)
  yield* Fiber.interrupt(run)
  return Option.map(checkpoint, ({ position }) => position === 0)
})

/** Laws of the options of readers. */
export const storeReaderOptions = [
  law("every option of a subscription makes a difference", ["readAll"], function*(store, bench) {
    const { core } = bench
    yield* fill(store, "s", [1, 2])
    yield* fill(store, "t", [3, 4], "U")
    const trial = trialOf((options: SubscribeOptions<Catalogue>) =>
      core.subscribePages(store, options).pipe(
        Stream.map(({ items }) => items.map(({ data }) => data)),
        Stream.filter((items) => items.length > 0),
        Stream.take(1),
        Stream.runCollect
      )
    )
    const plain: SubscribeOptions<Catalogue> = { events: anyEvents, from: "start" }
    const [, second] = yield* Stream.runCollect(store.log().readAll())
    const trials: Trials<SubscribeOptions<Catalogue>> = {
      events: trial({ ...plain, events: skipping }, plain),
      from: trial({ ...plain, from: { position: second?.position ?? 0 } }, plain),
      prefix: trial({ ...plain, prefix: "t" }, plain),
      types: trial({ ...plain, types: ["U"] }, plain),
      batch: trialOf((options: SubscribeOptions<Catalogue>) =>
        limitsAsked(bench, (watched) => Stream.runHead(core.subscribe(watched, options)))
      )({ ...plain, batch: 1 }, plain)
    }
    yield* different(trials)
  }),

  law("every option of a durable subscription makes a difference", ["readAll", "scan"], function*(store, bench) {
    const { core } = bench
    for (const type of ["T", "U"]) yield* fill(store, "s", [1, 2], type)
    yield* fill(store, "t", [3, 4])
    const [first] = yield* Stream.runCollect(store.log().readAll())
    const plain: SubscriptionOptions<Catalogue> = { name: "a", events: anyEvents, batch: 1 }
    const trial = trialOf((options: SubscriptionOptions<Catalogue>) => firstPage(store, core, options))
    const save = trialOf((options: SubscriptionOptions<Catalogue>) => unsaved(store, core, options))
    const trials: Trials<SubscriptionOptions<Catalogue>> = {
      name: trial({ ...plain, name: "b" }, plain),
      events: trial({ ...plain, events: skipping }, plain),
      from: trial({ ...plain, name: "c", from: { position: first?.position ?? 0 }, batch: 9 }, { ...plain, batch: 9 }),
      prefix: trial({ ...plain, prefix: "t" }, plain),
      types: trial({ ...plain, types: ["U"] }, plain),
      batch: trialOf((options: SubscriptionOptions<Catalogue>) =>
        limitsAsked(bench, (watched) => firstPage(watched, core, options))
      )({ ...plain, batch: 7 }, plain),
      saveEvery: save({ ...plain, name: "e", saveEvery: 100 }, { ...plain, name: "d" })
    }
    yield* different(trials)
  }),

  law("every option of registering a reader makes a difference", [], function*(store, { core }) {
    yield* fill(store, "s", [1])
    let readers = 0
    const trial = trialOf((options: RegisterOptions) =>
      Effect.map(
        Effect.suspend(() => core.registerReader(store, `reader ${readers++}`, options)),
        ({ position, prefix, types }) => [position === 0, prefix, types]
      )
    )
    const trials: Trials<RegisterOptions> = {
      from: trial({ from: "end" }, {}),
      prefix: trial({ prefix: "s" }, {}),
      types: trial({ types: ["T"] }, {})
    }
    yield* different(trials)
  })
]
