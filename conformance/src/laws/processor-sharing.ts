/** Laws of who runs what: partitions are shared by those who are there, and move without loss or repetition. */
import { anyEvents, type StoreShape } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { equal, holds } from "../assertion.ts"
import { fillEach, freezing, Given, runnersOf, soon, streams, untilLooked } from "../processor-given.ts"
import { patience, processorLawOf } from "../processor-law.ts"
import { dataOf, failing, keysOf } from "../store-given.ts"

const law = processorLawOf("processors")

/** Laws of sharing. */
export const processorSharing = [
  law("the partitions of a processor together handle every event once, those of a key in order", function*(
    store,
    { start, subscription, whenProcessed }
  ) {
    const given = new Given()
    const processor = subscription({ name: "p", events: anyEvents, partitions: 3, handle: given.note })
    yield* fillEach(store, streams, 2)
    yield* start([processor])
    yield* given.until(24)
    yield* fillEach(store, streams, 3, 3)
    yield* given.until(36)
    yield* whenProcessed(store, processor, yield* store.head)
    yield* given.isEach(streams, 3)
  }),
  law("whoever comes gets its share of what is run, and nothing is lost or handled twice by it", function*(
    store,
    { health, start, subscription, whenProcessed }
  ) {
    const given = new Given()
    let bySecond = 0
    const counting: typeof given.note = (event) => {
      bySecond++
      return given.note(event)
    }
    const of = (handle: typeof given.note) => subscription({ name: "p", events: anyEvents, partitions: 4, handle })
    yield* start([of(given.note)], { label: "first" })
    yield* fillEach(store, streams, 1)
    yield* given.until(12)
    yield* start([of(counting)], { label: "second" })
    yield* soon(store, runnersOf(health(store)), (all) => all.length === 4 && new Set(all).size === 2)
    yield* fillEach(store, streams, 2, 2)
    yield* given.until(24)
    yield* whenProcessed(store, of(given.note), yield* store.head)
    yield* given.isEach(streams, 2)
    yield* holds(bySecond > 0, "the second one was given nothing")
  }),
  law("whoever leaves finishes what it has in hand, and another goes on at once where it was", function*(
    store,
    { start, subscription }
  ) {
    const given = new Given()
    const [asked, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    yield* fillEach(store, ["s"], 2)
    const slowly: typeof given.note = (event) =>
      Deferred.succeed(asked, undefined).pipe(
        Effect.andThen(Deferred.await(release)),
        Effect.andThen(given.note(event))
      )
    const first = yield* start([subscription({ name: "p", events: anyEvents, handle: slowly })])
    // Before it is ended with the law: nothing else ends a handler.
    yield* Effect.addFinalizer(() => Deferred.succeed(release, undefined))
    yield* Deferred.await(asked)
    const leaving = yield* Effect.forkChild(Fiber.interrupt(first), { startImmediately: true })
    yield* start([subscription({ name: "p", events: anyEvents, handle: given.note })], { label: "second" })
    // What it takes in one look it has begun to handle by the next.
    yield* untilLooked(store, "second")
    yield* untilLooked(store, "second")
    yield* equal("given to another meanwhile", given.all, [])
    yield* Deferred.succeed(release, undefined)
    yield* Fiber.join(leaving)
    yield* fillEach(store, ["s"], 3, 3)
    yield* given.until(3)
    yield* given.isEach(["s"], 3)
  }),
  law("whoever is silent for its patience loses what it runs, and what it still commits has no effect", function*(
    store,
    { health, over, reaction, start, turn, whenProcessed }
  ) {
    const { change, freeze, thaw } = freezing()
    const [asked, release] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    const wake = Effect.andThen(Deferred.succeed(release, undefined), Effect.sync(thaw))
    // What somebody makes of each event is appended again: whoever does it twice is seen.
    const copying = (before: Effect.Effect<unknown>) =>
      reaction({
        name: "p",
        events: anyEvents,
        prefix: "s",
        handle: (events) =>
          Effect.as(before, [
            store.log().ops.append("copy", events.map(({ data }) => ({ type: "T", data })), { expected: "any" })
          ])
      })
    yield* fillEach(store, ["s"], 3)
    const held = Effect.andThen(Deferred.succeed(asked, undefined), Deferred.await(release))
    const silent = yield* start([copying(held)], { store: yield* over(change), label: "silent" })
    yield* Effect.addFinalizer(() => wake)
    yield* Deferred.await(asked)
    yield* Effect.sync(freeze)
    const other = copying(Effect.void)
    yield* start([other], { label: "other" })
    yield* untilLooked(store, "other")
    yield* turn(patience / 2)
    yield* untilLooked(store, "other")
    yield* equal("who runs it before that", yield* runnersOf(health(store)), ["silent"])
    yield* turn(patience)
    yield* whenProcessed(store, other, yield* store.head)
    yield* equal<unknown>("what was made by the other", yield* dataOf(store, "copy"), [1, 2, 3])
    yield* wake
    yield* fillEach(store, ["s"], 4, 4)
    yield* whenProcessed(store, other, yield* store.head)
    yield* Fiber.interrupt(silent)
    yield* equal<unknown>("what was made in the end", yield* dataOf(store, "copy"), [1, 2, 3, 4])
  }),
  law("a processor is refused with another number of partitions, until it's forgotten and begins anew", function*(
    store: StoreShape,
    { by, forget, health, run, start, subscription, whenProcessed }
  ) {
    const given = new Given()
    const of = (partitions: number) => subscription({ name: "p", events: anyEvents, partitions, handle: given.note })
    yield* fillEach(store, ["s"], 2)
    const runner = yield* start([of(2)])
    yield* whenProcessed(store, of(2), yield* store.head)
    yield* failing("another number", by(run(store, [of(3)], { interval: 4, patience })), "Invalid", "partitions")
    yield* failing("forgetting what is run", forget(store, "p"), "Invalid", "name")
    yield* Fiber.interrupt(runner)
    yield* forget(store, "p")
    yield* equal("checkpoints that are left", yield* keysOf(store, "$checkpoint"), [])
    yield* equal("what is still known", (yield* health(store)).processors.length, 0)
    yield* failing("forgetting what nobody knows", forget(store, "p"), "Invalid", "name")
    yield* start([of(3)])
    yield* whenProcessed(store, of(3), yield* store.head)
    yield* equal("given", given.all, ["s/1", "s/2", "s/1", "s/2"])
  })
]
