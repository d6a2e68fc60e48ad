/** Holders of locks: children that have one, and locks that say something else than is so. */
import { assert } from "@effect/vitest"
import { type Holder, holderOf, textOf } from "@persist/backend-file/lock/holder"
import { acquireLock } from "@persist/backend-file/lock/lock"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type ChildOptions, startChild } from "../backend-sqlite/child.ts"
import { unsynced } from "./power.ts"

/** What a child runs that takes a lock. */
export const holdingScript = new URL("child/lock.ts", import.meta.url).href

/** A child that holds the lock. */
export const startHolder = Effect.fnUntraced(function*(path: string, options?: ChildOptions) {
  const child = yield* startChild(holdingScript, [path], options)
  assert.strictEqual(yield* child.line, "ready")
  yield* child.go
  assert.strictEqual(yield* child.line, "held")
  return child
})

/** The files of the lock that somebody holds: one, unless a taker was stopped in the middle. */
export const heldFiles = (path: string): ReadonlyArray<string> =>
  readdirSync(join(path, "lock")).filter((name) => name.endsWith(".held")).map((name) => join(path, "lock", name))

/** What the lock says of its holder. */
export const holder = (path: string): Holder =>
  holderOf(readFileSync(heldFiles(path).at(-1) ?? assert.fail("nobody holds the lock"), "utf8")) ??
    assert.fail("the lock says nothing")

/** Writes something else into the lock, in place. */
export const rewrite = (path: string, change: Partial<Holder>): void => {
  for (const file of heldFiles(path)) {
    writeFileSync(file, textOf({ ...holderOf(readFileSync(file, "utf8")) ?? assert.fail("no holder"), ...change }))
  }
}

/** Takes the lock and gives it back; answers why it couldn't. */
export const tryTake = (path: string) =>
  acquireLock(unsynced, path).pipe(
    Effect.map((lock) => lock.held() ? "held" : "taken and lost"),
    Effect.scoped,
    Effect.catchTag("Unavailable", ({ reason }) => Effect.succeed(reason))
  )
