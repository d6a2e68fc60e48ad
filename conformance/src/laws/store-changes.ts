/** Laws of following the kv: what changed since, and what changes from now on. */
import type { AnyValue, Change, StoreShape } from "@persist/core"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { equal, every, holds } from "../assertion.ts"
import { commitOne, put } from "../given.ts"
import { count, fill, fillKeys } from "../store-given.ts"
import { storeLawOf } from "../store-law.ts"

const law = storeLawOf("store changes")

const told = (change: Change<AnyValue>): readonly [key: string, value: unknown] => [
  change.key,
  change._tag === "Put" ? change.value : undefined
]

// Writes keys again and again, some of them away, as one of several writers.
const write = Effect.fnUntraced(function*(store: StoreShape, writer: number, rounds: number) {
  const kv = store.kv("n")
  for (const round of count(rounds)) {
    yield* kv.put(`k${(writer + round) % 5}`, writer * 1000 + round)
    if (round % 4 === 0) yield* kv.delete(`k${round % 5}`)
  }
})

/** Laws of changes. */
export const storeChanges = [
  law("what changed since a revision is each key's last write, deletions included, in their order", [
    "changed",
    "delete"
  ], function*(store) {
    const kv = store.kv("n")
    yield* fillKeys(store, "n", ["a", "b", "c", "d"])
    const since = yield* store.head
    yield* fillKeys(store, "n", ["d", "a"])
    yield* fillKeys(store, "m", ["other"])
    yield* fill(store, "s", [1])
    yield* kv.delete("b")
    yield* kv.put("a", "last")
    const changes = yield* Stream.runCollect(kv.changedSince({ after: since }))
    yield* equal("changes", changes.map(told), [["d", "d"], ["b", undefined], ["a", "last"]])
    yield* every("revisions", changes, ({ revision }, n) => revision > (changes[n - 1]?.revision ?? since))
    const all = yield* Stream.runCollect(kv.changedSince({ after: 0 }))
    yield* equal("all changes", all.map(({ key }) => key), ["c", "d", "b", "a"])
    const last = changes.at(-1)?.revision ?? 0
    yield* equal("changes since the last", yield* Stream.runCollect(kv.changedSince({ after: last })), [])
  }),

  law("whoever watches from a revision on sees what changed since and what changes then, without a gap", [
    "changed",
    "delete",
    "scan"
  ], function*(store) {
    const kv = store.kv("n")
    yield* write(store, 9, 6)
    yield* kv.put("before", 1)
    const seen = new Map<string, unknown>()
    const watch = kv.watch({ after: 0 }).pipe(
      Stream.takeUntil(({ key }) => key === "the end"),
      Stream.runForEach((change) => Effect.sync(() => seen.set(...told(change))))
    )
    const writers = Effect.andThen(
      Effect.forEach([1, 2, 3], (writer) => write(store, writer, 12), { concurrency: "unbounded" }),
      kv.put("the end", true)
    )
    yield* Effect.all([watch, writers, Effect.andThen(Effect.yieldNow, watch)], { concurrency: "unbounded" })
    const there = yield* Stream.runCollect(kv.scan())
    yield* equal(
      "what the watcher knows",
      Object.fromEntries([...seen].filter(([, value]) => value !== undefined)),
      Object.fromEntries(there.map(({ key, value }) => [key, value]))
    )
    yield* holds(seen.size > 5, "the watcher saw too little")
  }),

  law("what changes while a watcher reads what is there is told it once", ["changed"], function*(store, { over }) {
    yield* fillKeys(store, "n", ["a", "b"])
    let meanwhile = 2
    const written = yield* Deferred.make<void>()
    // Somebody else puts a key just after each of the first pages was read.
    const raced = yield* over((backend) => ({
      ...backend,
      changed: (range) =>
        Effect.tap(
          backend.changed(range),
          (): Effect.Effect<unknown> =>
            meanwhile-- > 0
              ? Effect.orDie(commitOne(backend, { write: [put(`late ${meanwhile}`, "1")] }))
              : Deferred.succeed(written, undefined)
        )
    }))
    const seen = yield* raced.kv("n").watch({ after: 0 }).pipe(
      Stream.takeUntil(({ key }) => key === "the end"),
      Stream.runCollect,
      Effect.forkChild({ startImmediately: true })
    )
    yield* Deferred.await(written)
    yield* fillKeys(store, "n", ["the end"])
    const keys = (yield* Fiber.join(seen)).map(({ key }) => key)
    yield* equal("keys", keys, ["a", "b", "late 1", "late 0", "the end"])
  }),

  law("whoever watches without saying since when sees only what changes from then on", ["changed", "delete"], function*(
    store
  ) {
    const kv = store.kv("n")
    yield* fillKeys(store, "n", ["old", "older"])
    const watching = yield* Deferred.make<void>()
    const seen = yield* kv.watch().pipe(
      Stream.tap(() => Deferred.succeed(watching, undefined)),
      Stream.map(told),
      Stream.filter(([key]) => key !== "marker"),
      Stream.take(3),
      Stream.runCollect,
      Effect.forkChild({ startImmediately: true })
    )
    // That it has begun shows only in what it sees.
    yield* Effect.forEach(
      count(1000),
      (n) =>
        Effect.flatMap(
          Deferred.isDone(watching),
          (begun) => begun ? Effect.void : Effect.andThen(kv.put("marker", n), Effect.yieldNow)
        ),
      { discard: true }
    )
    yield* kv.put("a", 1)
    yield* Deferred.await(watching)
    yield* Effect.forEach([kv.put("b", 2), kv.delete("older")], (change) => change)
    yield* equal("changes", yield* Fiber.join(seen), [["a", 1], ["b", 2], ["older", undefined]])
  })
]
