/** Laws of a read model's versions: one is built beside the other, and readers change in one commit. */
import { anyEvents, type BackendShape, live, ReadModel, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { equal } from "../assertion.ts"
import { fillEach, soon, untilLooked } from "../processor-given.ts"
import { patience, type ProcessorBench, processorLawOf } from "../processor-law.ts"

const law = processorLawOf("versions of read models")

const modelOf = (version: number) =>
  ReadModel.make({
    name: "counts",
    version,
    events: anyEvents,
    prefix: "s",
    keys: ({ stream }) => stream,
    seed: 0,
    value: Schema.Int,
    step: (many: number) => many + 1
  })

const [old, next] = [modelOf(1), modelOf(2)]

// Short enough that nobody is taken for dead meanwhile.
const grace = patience / 16

const count = (store: StoreShape, model: typeof old) =>
  Effect.map(model.kv(store).get("s"), (state) => state._tag === "Some" ? state.value : 0)

const version = (store: StoreShape) => Effect.map(live(store, [old, next]), (current) => current.version)

// Five events that the first version has; whoever kept it has gone.
const begun = Effect.fnUntraced(function*(
  store: StoreShape,
  { readModel, start }: ProcessorBench
): Effect.fn.Return<void, unknown, Scope.Scope> {
  yield* fillEach(store, ["s"], 5)
  const first = yield* start([readModel(old)], { label: "old" })
  yield* soon(store, count(store, old), (many) => many === 5)
  yield* Fiber.interrupt(first)
})

// Notes what the second version had whenever a commit says that it's live.
const noting = (had: Array<boolean>) => (backend: BackendShape): BackendShape => ({
  ...backend,
  commit: (batch) => {
    const goesLive = batch.some(({ write }) =>
      write.some((one) =>
        one._tag === "Put" && one.namespace === "$live" && String(one.value).includes("\"version\":2")
      )
    )
    if (!goesLive) return backend.commit(batch)
    const found = backend.get([{ namespace: next.namespace, key: "s" }])
    return Effect.flatMap(found, ([entry]) => {
      had.push(entry?.value === "5")
      return backend.commit(batch)
    })
  }
})

/** Laws of versions. */
export const processorVersions = [
  law(
    "a new version of a read model is read once it has come as far as the one that was, never before",
    function*(store, bench) {
      yield* begun(store, bench)
      const had: Array<boolean> = []
      yield* bench.start([bench.readModel(next)], { store: yield* bench.over(noting(had)), label: "new" })
      yield* soon(store, version(store), (current) => current === 2)
      yield* equal("whether it had all when it went live", had.includes(false), false)
      yield* equal("its state", yield* count(store, next), 5)
      yield* equal("the state of the one before", yield* count(store, old), 5)
    },
    ["streams", "clear"]
  ),
  law(
    "the version that was live before is dropped after its grace period, once nobody runs it, and not before",
    function*(store, bench) {
      yield* begun(store, bench)
      const still = yield* bench.start([bench.readModel(old, { grace })], { label: "still" })
      yield* bench.start([bench.readModel(next, { grace })], { label: "new" })
      yield* soon(store, version(store), (current) => current === 2)
      yield* untilLooked(store, "new")
      yield* bench.turn(grace * 2)
      yield* untilLooked(store, "new")
      yield* equal("the state of the one before, while somebody runs it", yield* count(store, old), 5)
      yield* Fiber.interrupt(still)
      yield* bench.turn(grace)
      yield* soon(store, count(store, old), (many) => many === 0)
      yield* equal("the state of the one that is live", yield* count(store, next), 5)
    },
    ["streams", "clear"]
  ),
  law(
    "the version that was live before stays for its grace period, though nobody runs it",
    function*(store, bench) {
      yield* begun(store, bench)
      yield* bench.start([bench.readModel(next, { grace })], { label: "new" })
      yield* soon(store, version(store), (current) => current === 2)
      yield* untilLooked(store, "new")
      yield* bench.turn(grace / 2)
      yield* untilLooked(store, "new")
      yield* equal("its state", yield* count(store, old), 5)
    },
    ["streams", "clear"]
  )
]
