/** Beginning again by hand: what each kind of processor makes of its events once more. */
import { assert, describe, it } from "@effect/vitest"
import { Catalogue, catchUp, moveCheckpoint, registerReader, type StoreShape } from "@persist/core"
import { dropParked, listParked, pause, readModel, reset, run, subscription, workflow } from "@persist/runner"
import { enlist } from "@persist/runner/known"
import { controls } from "@persist/runner/names"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { errorOf } from "../backend-sqlite/place.ts"
import { Counted, countsOf, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

const counts = countsOf(1)

const refusal = (store: StoreShape, name: string, options?: Parameters<typeof reset>[2]) =>
  Effect.map(errorOf(reset(store, name, options)), ({ message }) => message)

describe("a reset", () => {
  it.live("gives a subscription its events again under the same keys, from where it is told, in all partitions", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 4, 2)
      const given: Array<string> = []
      const told = subscription({
        name: "told",
        events: Counted,
        partitions: 3,
        handle: ({ data, stream }, { key }) => Effect.sync(() => given.push(`${stream} ${data.n} ${key}`))
      })
      yield* Effect.forkChild(run(store, [told], quick))
      yield* until(Effect.sync(() => given.length), (n) => n === 8)
      const first = given.splice(0)
      yield* reset(store, "told")
      yield* until(Effect.sync(() => given.length), (n) => n === 8)
      assert.deepStrictEqual(given.splice(0).sort(), first.toSorted())
      yield* reset(store, "told", { from: { position: 4 } })
      yield* until(Effect.sync(() => given.length), (n) => n === 4)
      assert.deepStrictEqual(given.sort(), first.filter((each) => each.includes(" 2 ")).sort())
    }))

  it.live("clears a read model, which is then what a replay makes, and leaves out what was dropped", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 2, 3)
      const model = {
        ...counts,
        step: ({ count }: { count: number }, { data, stream }: { data: { n: number }; stream: string }) => {
          if (stream === "order-1" && data.n === 2) throw new Error("no")
          return { count: count + 1 }
        }
      }
      yield* Effect.forkChild(run(store, [readModel(model, { failure: { retries: 0, finally: "park" } })], quick))
      const [poison] = yield* until(Stream.runCollect(listParked(store)), ({ length }) => length === 2)
      yield* dropParked(store, "counts@1", poison?.position ?? 0)
      const state = (stream: string) => Effect.map(counts.kv(store).get(stream), Option.getOrUndefined)
      yield* until(state("order-1"), (one) => one?.count === 2)
      const since = yield* store.head
      yield* store.kv("counts@1", Schema.Struct({ count: Schema.Int })).put("order-9", { count: 9 })
      yield* reset(store, "counts@1")
      yield* until(
        Effect.map(counts.kv(store).entry("order-1"), Option.getOrUndefined),
        (entry) => entry !== undefined && entry.revision > since && entry.value.count === 2
      )
      assert.deepStrictEqual(
        (yield* Stream.runCollect(counts.kv(store).scan())).map(({ key, value }) => [key, value.count]),
        [["order-0", 3], ["order-1", 2]]
      )
    }))

  it.live("is refused where it would do harm, or can't be done", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 3)
      const commands = workflow({
        name: "commands",
        events: Counted,
        correlate: ({ stream }) => stream,
        state: Schema.Null,
        seed: null,
        commands: Catalogue.make({ Done: Schema.Null }),
        step: (state) => ({ state })
      })
      yield* catchUp(store, counts)
      yield* Effect.forkChild(run(store, [commands, readModel(counts, { allowTruncated: true })], quick))
      yield* until(store.kv("$processor").has("counts@1"))
      assert.match(yield* refusal(store, "others"), /"others" isn't known here/)
      assert.match(yield* refusal(store, "commands"), /command anew/)
      assert.match(yield* refusal(store, "counts@1", { from: "end" }), /made of all of its events/)
      yield* until(Effect.map(counts.kv(store).get("order-0"), Option.isSome))
      yield* store.log(Counted).truncate("order-0", 3)
      assert.match(yield* refusal(store, "counts@1"), /order-0.*truncated/)
      assert.strictEqual(yield* counts.kv(store).count(), 1)
      yield* reset(store, "counts@1", { allowTruncated: true })
      yield* until(
        Effect.map(counts.kv(store).get("order-0"), Option.getOrUndefined),
        (one) => one?.count === 1
      )
    }))

  it.effect("leaves what is paused so, and nothing of a read model, its indexes included", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 2, 3)
      yield* catchUp(store, counts)
      yield* enlist(store, [{ name: "counts@1", partitions: 1, kind: "read model", guarantee: "exactly once" }])
      yield* pause(store, "counts@1")
      yield* reset(store, "counts@1")
      const left = (yield* Stream.runCollect(store.namespaces())).map(({ namespace }) => namespace)
      assert.deepStrictEqual(left.filter((namespace) => namespace.startsWith("counts")), [])
      assert.deepStrictEqual(yield* controls(store).get("counts@1"), Option.some({ paused: true }))
    }))

  it.effect("counts though whoever ran it saved something between its look and its commit", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      yield* fill(store, 1, 3)
      yield* enlist(store, [{ name: "told", partitions: 1, kind: "subscription", guarantee: "at least once" }])
      const checkpoint = yield* registerReader(store, "told")
      let isFirst = true
      const commit: StoreShape["commit"] = Effect.fnUntraced(function*(ops, options) {
        if (isFirst) yield* moveCheckpoint(store, checkpoint, yield* store.head)
        const done = yield* store.commit(ops, options)
        if (isFirst) assert.strictEqual(done._tag, "Conflict")
        isFirst = false
        return done
      })
      yield* reset({ ...store, commit }, "told")
      assert.strictEqual((yield* registerReader(store, "told")).position, 0)
    }))
})
