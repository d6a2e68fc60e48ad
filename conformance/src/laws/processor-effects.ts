/** Laws of what processors bring about: exactly once where it's in the store, whenever a process dies; timers too. */
import { anyEvents, ReadModel, type StoreError, type StoreShape } from "@persist/core"
import type { Processor } from "@persist/runner"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type Broken, equal, show } from "../assertion.ts"
import { mortal } from "../gate.ts"
import { fillEach, soon, untilLooked } from "../processor-given.ts"
import { patience, type ProcessorBench, processorLawOf } from "../processor-law.ts"
import { dataOf } from "../store-given.ts"

const law = processorLawOf("processors and their effects")

// Of three events a process makes something, and dies at its n-th commit since it has its lease; another one goes on
// when that was silent for its patience.
const dying = Effect.fnUntraced(function*(
  bench: ProcessorBench,
  processorOf: (store: StoreShape) => Processor,
  check: (store: StoreShape, what: string) => Effect.Effect<void, StoreError | Broken>,
  nth = 0
): Effect.fn.Return<void, unknown, Scope.Scope> {
  for (const moment of ["before", "after"] as const) {
    const store = yield* bench.makeStore(yield* bench.elsewhere)
    yield* fillEach(store, ["s"], 3)
    const died = yield* Deferred.make<void>()
    const right = store.engine.backend
    const { backend } = mortal(right, nth, moment)
    let hasLease = false
    const process = yield* bench.makeStore({
      ...backend,
      commit: (batch) => {
        if (hasLease) return Effect.tapError(backend.commit(batch), () => Deferred.succeed(died, undefined))
        hasLease = batch.some(({ write }) => write.some(({ namespace }) => namespace === "$lease"))
        return right.commit(batch)
      }
    }, { retries: 0 })
    const first = yield* bench.start([processorOf(process)], { store: process, label: "dead" })
    yield* Deferred.await(died)
    yield* Fiber.interrupt(first)
    const processor = processorOf(store)
    const second = yield* bench.start([processor], { store, label: "living" })
    yield* untilLooked(store, "living")
    yield* bench.turn(patience)
    yield* bench.whenProcessed(store, processor, yield* store.head)
    yield* check(store, `after a death ${moment} commit ${nth} since its lease`)
    yield* Fiber.interrupt(second)
  }
})

const copied = (store: StoreShape, what: string) =>
  Effect.flatMap(dataOf(store, "copy"), (data) => equal<unknown>(`what was made ${what}`, data, [1, 2, 3]))

/** Laws of effects. */
export const processorEffects = [
  law("what a reaction makes of an event happens once, at whatever commit its process dies", function*(_, bench) {
    const copying = (store: StoreShape) =>
      bench.reaction({
        name: "p",
        events: anyEvents,
        prefix: "s",
        handle: (events) =>
          Effect.succeed([
            store.log().ops.append("copy", events.map(({ data }) => ({ type: "T", data })), { expected: "any" })
          ])
      })
    yield* dying(bench, copying, copied)
  }),
  law("an event that is handled again after a crash has the key it had, and no other event has that", function*(
    _,
    bench
  ) {
    const keys = new Map<string, Set<string>>()
    const noting = ({ about }: StoreShape) =>
      bench.subscription({
        name: "p",
        events: anyEvents,
        handle: ({ data }, { key }) =>
          Effect.sync(() => {
            const event = `${about.incarnation}/${show(data)}`
            keys.set(event, new Set([...keys.get(event) ?? [], key]))
          })
      })
    yield* dying(bench, noting, () => Effect.void)
    yield* equal("events that were handled", keys.size, 6)
    const all = Array.from(keys.values(), (own) => [...own]).flat()
    yield* equal("keys that were given", [all.length, new Set(all).size], [keys.size, keys.size])
  }),
  law("a workflow's state and what it commands are one commit, at whatever commit its process dies", function*(
    _,
    bench
  ) {
    const counting = () =>
      bench.workflow({
        name: "p",
        events: anyEvents,
        prefix: "s",
        correlate: ({ stream }) => stream,
        state: Schema.Number,
        seed: 0,
        commands: anyEvents,
        // What it commands tells its state.
        step: (state) => ({
          state: state + 1,
          commands: [{ stream: "copy", events: [{ type: "T", data: state + 1 }] }]
        })
      })
    yield* dying(bench, counting, (store, what) =>
      Effect.andThen(
        copied(store, what),
        Effect.flatMap(
          counting().stateOf(store, "s"),
          (state) => equal(`state ${what}`, state._tag === "Some" ? state.value : -1, 3)
        )
      ))
  }),
  law(
    "a read model that runners keep takes every event into account once, at whatever commit its process dies",
    function*(
      _,
      bench
    ) {
      const model = ReadModel.make({
        name: "counts",
        version: 1,
        events: anyEvents,
        keys: ({ stream }) => stream,
        seed: 0,
        value: Schema.Number,
        step: (many: number) => many + 1
      })
      yield* dying(bench, () => bench.readModel(model), (store, what) =>
        Effect.flatMap(
          model.kv(store).get("s"),
          (state) => equal(`state ${what}`, state._tag === "Some" ? state.value : -1, 3)
        ))
    },
    ["streams"]
  ),
  law("a timer fires once, when it's due and not before, whoever runs its instance then", function*(
    store,
    { start, turn, whenProcessed, workflow }
  ) {
    const waking = workflow({
      name: "p",
      events: anyEvents,
      prefix: "s",
      correlate: ({ stream }) => stream,
      state: Schema.Null,
      seed: null,
      commands: anyEvents,
      step: (_, happened) =>
        "timer" in happened
          ? { state: null, commands: [{ stream: "rang", events: [{ type: "T", data: happened.timer }] }] }
          : { state: null, timers: { due: happened.at + patience / 4 } }
    })
    yield* fillEach(store, ["s"], 1)
    const first = yield* start([waking], { label: "first" })
    yield* whenProcessed(store, waking, yield* store.head)
    yield* Fiber.interrupt(first)
    yield* start([waking], { label: "second" })
    yield* untilLooked(store, "second")
    yield* equal<unknown>("what rang before it was due", yield* dataOf(store, "rang"), [])
    yield* turn(patience / 4)
    yield* soon(store, dataOf(store, "rang"), ({ length }) => length > 0)
    yield* turn(patience / 4)
    yield* untilLooked(store, "second")
    yield* equal<unknown>("what rang in the end", yield* dataOf(store, "rang"), ["due"])
  })
]
