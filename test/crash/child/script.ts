/**
 * Does one thing after another to a store, alone, and says before each what it is: `script.ts JSON`. Its system calls
 * come in the same order every time.
 */
import type { StoreError, StoreShape } from "@persist/core"
import { catchUp, compact, makeStore, origin, Position, saveSnapshot, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { openUrl } from "persist/effect"
import { balance, type Claim, sums } from "../claims.ts"
import { tell } from "../message.ts"
import { failureOf, recorded } from "../recording.ts"
import { commandOf } from "./command.ts"

/** What a script is told to do: to open a store, to do what its scenes are called, and to close it again. */
export interface ScriptCommand {
  readonly url: string
  /** Its commits' ids begin with it. */
  readonly name: string
  readonly scenes: ReadonlyArray<SceneName>
}

/** The name of a scene. */
export type SceneName = keyof typeof scenes

let count = 0
const id = () => `${command.name}.${++count}`

const claim = (by: string, pad = ""): { readonly type: string; readonly data: Claim } => ({
  type: "Claimed",
  data: { by, of: 0, many: 1, after: null, amount: 3, pad }
})

const append = (store: StoreShape, stream: string, pad?: string) => {
  const by = id()
  return store.log().append(stream, claim(by, pad), { expected: "any", id: by })
}

const commit = (store: StoreShape) => append(store, "m/0")

/** Several at once, which the store may take as one group. */
const group = (store: StoreShape) =>
  Effect.all(["m/0", "m/1", "t/0", "c/0", "c/0"].map((stream) => append(store, stream)), { concurrency: "unbounded" })

/** One commit of everything that a commit can hold. */
const mixture = (store: StoreShape) => {
  const log = store.log()
  const documents = store.kv("documents")
  const by = id()
  return store.commit([
    log.ops.append("m/1", claim(by), { expected: "any" }),
    log.ops.append("t/1", [claim(by), claim(by, "x".repeat(9000))], { expected: "any" }),
    documents.ops.put("d0", { by }),
    documents.ops.put("d1", new Uint8Array([0, 255, 1])),
    documents.ops.delete("d2"),
    store.kv("scratch").ops.clear(),
    log.ops.truncate("t/0", 2)
  ], { id: by })
}

/** Keys that are there for others to delete and clear. */
const keys = (store: StoreShape) =>
  Effect.all([
    store.kv("scratch").putMany([["a", 1], ["b", 2]], { id: id() }),
    store.kv("documents").put("d2", "gone soon", { id: id() })
  ])

/** As much as makes a store move what it has written: a write-ahead log into its database, a segment into an index. */
const bulk = (store: StoreShape) =>
  Effect.forEach(Array.from({ length: 44 }), () => append(store, "m/2", "y".repeat(400_000)), { discard: true })

/** What is read has been shown, and must stay. */
const read = ({ engine: { backend } }: StoreShape) =>
  backend.readAll({ after: origin, to: Position(unbounded), prefix: "", types: undefined, limit: 1000, reverse: false })

const scenes = {
  commit,
  read,
  group,
  keys,
  mixture,
  bulk,
  model: (store: StoreShape) => catchUp(store, sums),
  snapshot: (store: StoreShape) => saveSnapshot(store, balance, { stream: "c/0" }),
  compaction: (store: StoreShape) => compact(store, { projection: balance, stream: "c/0" })
} satisfies { readonly [name: string]: (store: StoreShape) => Effect.Effect<unknown, StoreError> }

const mark = (name: string) => Effect.sync(() => tell({ _tag: "Mark", name }))

const open = Effect.gen(function*() {
  const backend = yield* openUrl(command.url)
  const { durability, incarnation } = backend.about
  tell({ _tag: "Opened", incarnation, durability, head: yield* backend.head })
  return yield* makeStore(recorded(backend))
})

const command = await commandOf<ScriptCommand>()
const exit = await Effect.runPromiseExit(Effect.gen(function*() {
  const scope = yield* Scope.make()
  yield* mark("opening")
  const store = yield* Scope.provide(open, scope)
  for (const name of command.scenes) {
    yield* mark(name)
    // Where the disk fails one, the next may do better.
    yield* Effect.catchCause(
      scenes[name](store),
      (cause) => Effect.sync(() => tell({ _tag: "Trouble", ...failureOf(cause) }))
    )
  }
  yield* mark("closing")
  yield* Scope.close(scope, Exit.void)
  yield* mark("finished")
}))
if (Exit.isFailure(exit)) tell({ _tag: "Shut", ...failureOf(exit.cause) })
process.stdin.destroy()
