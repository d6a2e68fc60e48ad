/** A writer that was taken for dead and comes back to life: nothing that it still does is part of the store. */
import { assert, describe, it } from "@effect/vitest"
import type { Disk } from "@persist/backend-file/disk"
import { makeOn } from "@persist/backend-file/layer"
import { append, commit, dataOf, times } from "@persist/conformance/given"
import type { BackendShape, Payload } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { readdirSync } from "node:fs"
import { errorOf } from "../backend-sqlite/place.ts"
import { warningsIn } from "../core/ledger.ts"
import { systemError } from "./faults.ts"
import { breakLock, fence, newPath } from "./place.ts"
import { unsynced } from "./power.ts"

const one = (data: string) => commit({ append: [append("s", data)] })

const open = (path: string) => makeOn(unsynced, { path, segmentBytes: 1024 })

// A writer that doesn't notice that its lock is gone before it has written.
const startWriter = Effect.fnUntraced(function*(path: string) {
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Effect.asVoid(warningsIn(Scope.close(scope, Exit.void))))
  return yield* Scope.provide(open(path), scope)
})

// A store with so many events, whose writer has lost the lock, and a reader of it.
const taken = Effect.fnUntraced(function*(events: number) {
  const path = yield* newPath
  const first = yield* startWriter(path)
  yield* first.commit(times(events, (n) => one(`${n + 1}`)))
  const reader = yield* makeOn(unsynced, { path, readonly: true })
  assert.strictEqual((yield* dataOf(reader, "s")).length, events)
  breakLock(path)
  return { path, first, reader }
})

// Everybody holds this, and a store that's opened later too.
const allHold = Effect.fnUntraced(
  function*(path: string, handles: ReadonlyArray<BackendShape>, data: ReadonlyArray<Payload>) {
    const later = yield* makeOn(unsynced, { path, readonly: true })
    for (const handle of [...handles, later]) assert.deepStrictEqual(yield* dataOf(handle, "s"), data)
  }
)

describe("a writer whose store was taken over", () => {
  it.effect("writes to a file that nobody reads, and is told that it can't vouch for it", () =>
    Effect.gen(function*() {
      const { first, path, reader } = yield* taken(1)
      const second = yield* open(path)
      assert.strictEqual((yield* errorOf(first.commit([one("lost")])))._tag, "OutcomeUnknown")
      yield* allHold(path, [second, reader], ["1"])
      yield* second.commit([one("2")])
      yield* allHold(path, [second, reader], ["1", "2"])
      assert.match((yield* errorOf(first.commit([one("lost")]))).message, /close it and open it again/)
    }))

  it.effect("can't begin another segment: the manifest's numbers have gone on", () =>
    Effect.gen(function*() {
      // So much that its next commit would begin one.
      const { first, path, reader } = yield* taken(20)
      const second = yield* open(path)
      const held = yield* dataOf(second, "s")
      assert.strictEqual(held.length, 20)
      const error = yield* errorOf(first.commit([one("lost")]))
      assert.match(error.message, /^commit: the store stopped after another process had written to it; close it/)
      assert.strictEqual(readdirSync(path).filter((name) => name.startsWith("manifest")).length, 1)
      yield* allHold(path, [second, reader], held)
      yield* second.commit([one("2")])
      yield* allHold(path, [second, reader], [...held, "2"])
    }))

  it.effect("is believed as before where nobody could take it over: all that it acknowledged is there to be read", () =>
    Effect.gen(function*() {
      const { path, reader } = yield* taken(1)
      const full: Disk = {
        ...unsynced,
        create: (file) => {
          if (file.includes("/log/")) throw systemError("ENOSPC", "open")
          return unsynced.create(file)
        }
      }
      const error = yield* errorOf(Effect.scoped(makeOn(full, { path })))
      assert.match(error.message, /the disk is full/)
      yield* allHold(path, [reader], ["1"])
      yield* allHold(path, [yield* open(path), reader], ["1"])
    }))

  it.effect("isn't believed by readers from the moment on that somebody says so", () =>
    Effect.gen(function*() {
      const { first, path, reader } = yield* taken(1)
      fence(path)
      yield* errorOf(first.commit([one("late")]))
      assert.deepStrictEqual(yield* dataOf(reader, "s"), ["1"])
      const unknown = yield* errorOf(reader.resolve("an id"))
      assert.match(unknown.message, /^resolve: the store is being taken over .*; try again once it's open/)
      // Whoever comes now would be told less than was acknowledged.
      const later = yield* errorOf(Effect.scoped(makeOn(unsynced, { path, readonly: true })))
      assert.match(later.message, /^open: the store is being taken over .*, or open it for writing$/)
      // Whoever takes it over finds what was written before it looked, and says so once it's durable.
      const second = yield* open(path)
      yield* allHold(path, [second, reader], ["1", "late"])
    }))
})
