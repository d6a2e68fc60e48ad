/** Commits of every kind, what a store must hold after each, and all that a store holds as its verbs tell it. */
import { make as makeMemory } from "@persist/backend-memory"
import { append, clear, commit, del, event, put } from "@persist/conformance/given"
import type { BackendShape, Commit, Outcome } from "@persist/core"
import { origin, Position, Seq, unbounded } from "@persist/core"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Commits that go to a store together. */
export type Batch = NonEmptyReadonlyArray<Commit>

const bytes = Uint8Array.from([0, 1, 254, 255])
const named = (id: string, parts: Partial<Commit>): Commit => commit({ ...parts, identity: { id, digest: `d ${id}` } })

/** Ids of the commits that have one. */
export const ids = ["once", "checked", "keys"]

/** Batches with every kind of change, of names and payloads that are easily got wrong. */
export const history: ReadonlyArray<Batch> = [
  [
    commit({
      append: [{ stream: "a", events: [event("1", { meta: "{\"by\":1}", id: "e1", at: 2000.5 }), event(bytes)] }]
    }),
    commit({ append: [append("nul\0 and 🦜", "\"é\""), append("b", "1")], write: [put("k", "1"), put("gone", "2")] })
  ],
  [named("once", { append: [append("a", "3", "4")], write: [put("k", bytes, { meta: "{}" })] })],
  [commit({ write: [del("gone")] }), commit({ write: [del("never there")] }), named("checked", { expect: [] })],
  [
    commit({ write: [put("x", "1", { namespace: "m" }), put("y", "2", { namespace: "m" })] }),
    commit({ truncate: [{ stream: "a", before: Seq(3) }, { stream: "no such", before: Seq(2) }] })
  ],
  [commit({ append: [append("b", "2")], expect: [{ _tag: "Stream", stream: "b", expected: Seq(7) }] })],
  [
    commit({ write: [clear("m")] }),
    commit({ append: [append("c", "1", "2")], truncate: [{ stream: "c", before: Seq(9) }] })
  ],
  [named("keys", { write: [put("k", "3"), put("y", "3", { namespace: "m" })], append: [append("c", "3")] })]
]

/** All that a store holds, as its verbs tell it. */
export const contents = Effect.fnUntraced(function*(backend: BackendShape) {
  const namespaces = ["n", "m"]
  const all = { after: origin, to: Position(unbounded), prefix: "", types: undefined, limit: 10_000 }
  const streams = yield* backend.streams({ prefix: "", after: undefined, limit: 100 })
  return {
    head: yield* backend.head,
    events: yield* backend.readAll({ ...all, reverse: false }),
    backwards: (yield* backend.readAll({ ...all, reverse: true })).items,
    streams,
    alone: yield* Effect.forEach(
      streams,
      ({ stream }) => backend.readStream({ stream, from: Seq(1), to: Seq(unbounded), limit: 100, reverse: false })
    ),
    namespaces: yield* backend.namespaces({ after: undefined, limit: 100 }),
    entries: yield* Effect.forEach(
      namespaces,
      (namespace) => backend.scan({ namespace, gte: undefined, lt: undefined, limit: 100, reverse: false })
    ),
    got: yield* backend.get([{ namespace: "n", key: "k" }, { namespace: "n", key: "gone" }]),
    changed: yield* Effect.forEach(
      namespaces,
      (namespace) => backend.changed({ namespace, after: origin, limit: 100 })
    ),
    commits: yield* Effect.forEach(ids, (id) => Effect.map(backend.resolve(id), Option.getOrUndefined))
  }
})

/** What a store holds. */
export type Contents = Effect.Success<ReturnType<typeof contents>>

/** What a store holds after none of the batches, after the first, and so on, and the outcomes of each. */
export const expected: Effect.Effect<{
  readonly after: ReadonlyArray<Contents>
  readonly outcomes: ReadonlyArray<ReadonlyArray<Outcome>>
}> = Effect.gen(function*() {
  const memory = yield* makeMemory()
  const after = [yield* contents(memory)]
  const outcomes: Array<ReadonlyArray<Outcome>> = []
  for (const batch of history) {
    outcomes.push(yield* memory.commit(batch))
    after.push(yield* contents(memory))
  }
  return { after, outcomes }
}).pipe(Effect.orDie)
