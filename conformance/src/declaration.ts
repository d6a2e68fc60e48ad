/** What a store says of itself, asserted: what it declares it can't do it must refuse, never pretend to do. */
import type { Ability, About, BackendShape, Commit } from "@persist/core"
import { origin, Position, Seq, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { equal, holds, show } from "./assertion.ts"
import type { Fixture, Place } from "./fixture.ts"
import { append, appendEach, clear, commit, commitOne, del, put, readWhole } from "./given.ts"
import type { Check, Need } from "./law.ts"

/** Which of a law's needs a store hasn't, by what it says of itself and what its place can do. */
export const missing = Effect.fnUntraced(function*(fixture: Fixture, about: About, needs: ReadonlyArray<Need>) {
  const breakable = !needs.includes("breakable") || (yield* fixture.place).breakNextCommit !== undefined
  return needs.filter((need) => {
    if (need === "durable") return about.durability === "memory"
    if (need === "shared") return !about.shared
    return need === "breakable" ? !breakable : about.lacks.has(need)
  })
})

/** What must hold of a store that declares it hasn't something. */
export const declaration = (need: Need): Check => (fixture) =>
  Effect.flatMap(fixture.place, (place) => {
    if (need === "durable") return forgets(place)
    if (need === "shared") return keepsToItself(place)
    // A place that can't break a commit declares nothing about the store.
    return need === "breakable" ? Effect.void : Effect.flatMap(place.open, (backend) => refuses(need, backend))
  })

// The store of durability "memory": whoever opens it again must be able to tell that it is another.
const forgets = Effect.fnUntraced(function*(place: Place) {
  const before = yield* Effect.scoped(Effect.gen(function*() {
    const backend = yield* place.open
    yield* appendEach(backend, "s", ["1"])
    return backend.about.incarnation
  }))
  const after = yield* place.open
  yield* equal("events after reopening a store of durability memory", yield* readWhole(after, "s"), [])
  yield* holds(after.about.incarnation !== before, "a store that forgot everything has the incarnation it had before")
})

// The store that isn't shared: a second handle is refused, or it is a store of its own.
const keepsToItself = Effect.fnUntraced(function*(place: Place) {
  const backend = yield* place.open
  const second = yield* Effect.exit(place.open)
  if (Exit.isFailure(second)) return
  yield* appendEach(backend, "s", ["1"])
  yield* equal("what a second handle reads of a store that isn't shared", yield* readWhole(second.value, "s"), [])
  yield* holds(
    second.value.about.incarnation !== backend.about.incarnation,
    "two stores that share nothing have one incarnation"
  )
})

/** Every ability that a backend may lack. */
export const abilities: ReadonlyArray<Ability> = [
  ...["atomic", "resolve", "truncate", "delete", "clear", "readAll"] as const,
  ...["streams", "scan", "changed", "namespaces", "meta", "bytes"] as const
]

type Probe = (backend: BackendShape) => Effect.Effect<unknown, unknown, Scope.Scope>

const refuses = Effect.fnUntraced(function*(ability: Ability, backend: BackendShape) {
  const { answer, refused } = yield* tryAbility(ability, backend)
  yield* holds(
    refused,
    `${ability}: declared as lacking, yet it answered ${answer} instead of refusing it as Unsupported`
  )
})

/** Does the least that needs an ability, and tells whether it was refused as `Unsupported` or what came instead. */
export const tryAbility = Effect.fnUntraced(function*(ability: Ability, backend: BackendShape) {
  const result = yield* Effect.result(probes[ability](backend))
  if (result._tag === "Failure") {
    return { refused: isTagged(result.failure, "Unsupported"), answer: String(result.failure) }
  }
  const outcome: unknown = Array.isArray(result.success) ? result.success[0] : undefined
  return {
    refused: isTagged(outcome, "Refused") && "error" in outcome && isTagged(outcome.error, "Unsupported"),
    answer: show(result.success)
  }
})

const isTagged = (u: unknown, tag: string): u is { readonly _tag: string } =>
  typeof u === "object" && u !== null && "_tag" in u && u._tag === tag

const probe = (parts: Partial<Commit>): Probe => (backend) => backend.commit([commit(parts)])

// What is deleted, cleared or truncated is there first: a refusal must not depend on there being nothing to do.
const probes: Record<Ability, Probe> = {
  atomic: probe({ append: [append("s", "1")], write: [put("k", "1")] }),
  resolve: (backend) => backend.resolve("never used"),
  truncate: (backend) =>
    Effect.andThen(
      commitOne(backend, { append: [append("s", "1")] }),
      probe({ truncate: [{ stream: "s", before: Seq(2) }] })(backend)
    ),
  delete: (backend) =>
    Effect.andThen(commitOne(backend, { write: [put("k", "1")] }), probe({ write: [del("k")] })(backend)),
  clear: (backend) =>
    Effect.andThen(commitOne(backend, { write: [put("k", "1")] }), probe({ write: [clear()] })(backend)),
  readAll: (backend) =>
    backend.readAll({
      after: origin,
      to: Position(unbounded),
      prefix: "",
      types: undefined,
      limit: 10,
      reverse: false
    }),
  streams: (backend) => backend.streams({ prefix: "", after: undefined, limit: 10 }),
  scan: (backend) => backend.scan({ namespace: "n", gte: undefined, lt: undefined, limit: 10, reverse: false }),
  changed: (backend) => backend.changed({ namespace: "n", after: origin, limit: 10 }),
  namespaces: (backend) => backend.namespaces({ after: undefined, limit: 10 }),
  meta: probe({ write: [put("k", "1", { meta: "{}" })] }),
  bytes: probe({ append: [append("s", new Uint8Array([1]))] })
}
