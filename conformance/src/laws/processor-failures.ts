/** Laws of what fails under a runner: tried again, stopped at or put aside, as it's declared, and said by operators. */
import { anyEvents, resetReader, type StoreError, type StoreShape } from "@persist/core"
import type { ParkedEvent, Processor } from "@persist/runner"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Broken, equal, every } from "../assertion.ts"
import { fillEach, Given, type Happened, soon, untilLooked } from "../processor-given.ts"
import { patience, type ProcessorBench, processorLawOf, type Runner } from "../processor-law.ts"
import { failing } from "../store-given.ts"

const law = processorLawOf("processors that fail")

const parkedIn = ({ listParked }: ProcessorBench, store: StoreShape) => Stream.runCollect(listParked(store, "p"))

const told = (parked: ReadonlyArray<ParkedEvent>) =>
  parked.map(({ attempts, seq, state, stream }) => `${stream}/${seq} ${state} ${attempts.length}`)

interface Scene {
  readonly given: Given
  readonly processor: Processor
  readonly runner: Runner
  readonly poison: ParkedEvent
  readonly mend: () => void
}

// Of a and b, three events each: the second one of a fails until it's mended, and is parked.
const poisoned = Effect.fnUntraced(function*(store: StoreShape, bench: ProcessorBench): Effect.fn.Return<
  Scene,
  StoreError | Broken,
  Scope.Scope
> {
  const given = new Given()
  let broken = true
  const processor = bench.subscription({
    name: "p",
    events: anyEvents,
    failure: { retries: 1, delay: 1, finally: "park" },
    handle: (event: Happened) =>
      Effect.suspend(() => broken && event.stream === "a" && event.data === 2 ? Effect.fail("no") : given.note(event))
  })
  yield* fillEach(store, ["a", "b"], 3)
  const runner = yield* bench.start([processor])
  const [poison] = yield* soon(store, parkedIn(bench, store), ({ length }) => length === 2)
  yield* given.until(4)
  if (poison === undefined) return yield* Effect.die("two are parked")
  const mend = () => {
    broken = false
  }
  return { given, processor, runner, poison, mend }
})

/** Laws of failures, and of what operators say. */
export const processorFailures = [
  law("an event that fails is tried again as often as its policy says, and then its partition stops there", function*(
    store,
    { health, resume, start, subscription, turn }
  ) {
    const given = new Given()
    const attempts: Array<number> = []
    let broken = true
    yield* fillEach(store, ["s"], 3)
    yield* start([
      subscription({
        name: "p",
        events: anyEvents,
        failure: { retries: 2, delay: 1 },
        handle: (event, { attempt }) =>
          Effect.suspend(() => {
            if (!broken || event.data !== 2) return given.note(event)
            attempts.push(attempt)
            return Effect.fail("no")
          })
      })
    ])
    // It tells how it fares every third of its patience.
    const state = Effect.map(health(store), ({ processors: [one] }) => one?.partitions[0]?.state)
    yield* soon(store, Effect.andThen(turn(patience / 3), state), (it) => it === "stopped")
    yield* equal("attempts", attempts, [0, 1, 2])
    yield* equal("given", given.all, ["s/1"])
    broken = false
    yield* resume(store, "p")
    yield* given.until(3)
    yield* given.isEach(["s"], 3)
  }),
  law(
    "an event that fails too often is parked with its failures, and holds back only what follows of its key",
    function*(
      store,
      bench
    ) {
      const { given, processor } = yield* poisoned(store, bench)
      yield* bench.whenProcessed(store, processor, yield* store.head)
      yield* equal("parked", told(yield* parkedIn(bench, store)), ["a/2 parked 2", "a/3 behind 0"])
      yield* equal("given", given.all.toSorted(), ["a/1", "b/1", "b/2", "b/3"])
    }
  ),
  law("a parked event that is retried goes through before what waits behind it, and that in order", function*(
    store,
    bench
  ) {
    const { given, mend, poison } = yield* poisoned(store, bench)
    yield* fillEach(store, ["a"], 4, 4)
    yield* soon(store, parkedIn(bench, store), ({ length }) => length === 3)
    mend()
    yield* bench.retryParked(store, "p", poison.position)
    yield* given.until(7)
    yield* equal("given of its key", given.all.filter((each) => each.startsWith("a")), ["a/1", "a/2", "a/3", "a/4"])
    yield* soon(store, parkedIn(bench, store), ({ length }) => length === 0)
  }),
  law("a dropped event is never handled, not even after a reset, and what waits behind it goes on", function*(
    store,
    bench
  ) {
    const { given, mend, poison, processor, runner } = yield* poisoned(store, bench)
    yield* bench.dropParked(store, "p", poison.position)
    yield* given.until(5)
    yield* equal("given last", given.all.at(-1), "a/3")
    yield* Fiber.interrupt(runner)
    mend()
    yield* resetReader(store, "p")
    yield* bench.start([processor])
    yield* given.until(10)
    yield* bench.whenProcessed(store, processor, yield* store.head)
    yield* equal("given after a reset", given.all.slice(5).toSorted(), ["a/1", "a/3", "b/1", "b/2", "b/3"])
    yield* equal("still listed", told(yield* parkedIn(bench, store)), ["a/2 dropped 2"])
  }),
  law("a processor that is paused stands still, whoever runs it, and goes on when it's resumed", function*(
    store,
    { health, pause, resume, start, subscription }
  ) {
    const given = new Given()
    const processor = subscription({ name: "p", events: anyEvents, handle: given.note })
    const state = Effect.map(health(store), ({ processors: [one] }) => one?.partitions[0]?.state)
    yield* fillEach(store, ["s"], 1)
    yield* start([processor], { label: "first" })
    yield* given.until(1)
    yield* pause(store, "p")
    yield* soon(store, state, (it) => it === "paused")
    yield* start([processor], { label: "second" })
    yield* fillEach(store, ["s"], 2, 2)
    yield* untilLooked(store, "second")
    yield* equal("given while it's paused", given.all, ["s/1"])
    yield* resume(store, "p")
    yield* given.until(2)
    yield* given.isEach(["s"], 2)
  }),
  law(
    "whoever waits for a processor goes on when each partition is done with what was there, and not before",
    function*(
      store,
      { start, subscription, whenProcessed }
    ) {
      const given = new Given()
      // Of two partitions the first is s2's, the other s0's.
      const gates = { s2: yield* Deferred.make<void>(), s0: yield* Deferred.make<void>() }
      const processor = subscription({
        name: "p",
        events: anyEvents,
        partitions: 2,
        handle: (event) =>
          Effect.andThen(Deferred.await(event.stream === "s0" ? gates.s0 : gates.s2), given.note(event))
      })
      yield* fillEach(store, Object.keys(gates), 1)
      const head = yield* store.head
      yield* start([processor])
      yield* Effect.addFinalizer(() =>
        Effect.forEach(Object.values(gates), (gate) => Deferred.succeed(gate, undefined))
      )
      for (const gate of Object.values(gates)) {
        yield* failing("waiting", whenProcessed(store, processor, head, { within: 5 }), "Unavailable")
        yield* Deferred.succeed(gate, undefined)
      }
      yield* whenProcessed(store, processor, head)
      yield* equal("given by then", given.all.toSorted(), ["s0/1", "s2/1"])
    }
  ),
  law("health tells who runs each partition and what is left, and misses what nobody runs any more", function*(
    store,
    { health, start, subscription, turn, whenProcessed }
  ) {
    const processor = subscription({ name: "p", events: anyEvents, partitions: 2, handle: () => Effect.void })
    yield* fillEach(store, ["s0", "s2"], 1)
    const runner = yield* start([processor], { label: "here" })
    yield* whenProcessed(store, processor, yield* store.head)
    // How far it has looked beyond its own events is told every third of its patience.
    const asked = Effect.andThen(turn(patience / 3), health(store))
    const done = yield* soon(
      store,
      asked,
      ({ processors: [one] }) => one?.healthy === true && one.partitions.every(({ lag }) => lag === 0)
    )
    yield* equal(
      "partitions",
      done.processors[0]?.partitions.map(({ runner: by, state }) => [by?.label, state]),
      [["here", "running"], ["here", "running"]]
    )
    yield* Fiber.interrupt(runner)
    yield* fillEach(store, ["s0", "s2"], 2, 2)
    const { head, processors: [missed], runners } = yield* health(store)
    yield* equal("who is there, and whether all is well", [runners.length, missed?.healthy], [0, false])
    yield* every(
      "partitions that nobody runs",
      missed?.partitions ?? [],
      ({ lag, position, state }) => state === "idle" && lag === head - position
    )
  })
]
