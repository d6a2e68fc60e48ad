/** The lock of a store's one writer, with real processes: killed, stopped, of another boot, another container. */
import { assert, describe, it } from "@effect/vitest"
import { disk } from "@persist/backend-file/disk"
import { acquireLock } from "@persist/backend-file/lock/lock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { cpSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { startTogether } from "../backend-sqlite/child.ts"
import { holder, holdingScript, rewrite, startHolder, tryTake } from "./lock-holder.ts"
import { directory } from "./place.ts"
import { makePower, unsynced } from "./power.ts"

describe("the lock", () => {
  it.effect("is refused to this process while it holds it, and given back with the scope", () =>
    Effect.gen(function*() {
      const path = yield* directory
      yield* Effect.scoped(Effect.gen(function*() {
        const lock = yield* acquireLock(disk, path)
        assert.isTrue(lock.held())
        const error = yield* Effect.flip(Effect.scoped(acquireLock(disk, path)))
        assert.strictEqual(
          error.message,
          "open: this process has the store open for writing; use that handle, or open it with readonly"
        )
      }))
      for (let n = 0; n < 3; n++) assert.strictEqual(yield* tryTake(path), "held")
      assert.deepStrictEqual(readdirSync(join(path, "lock")), ["0000000004.free"])
    }))

  it.live("is refused while another process holds it, be it stopped, and had at once when that was killed", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const child = yield* startHolder(path)
      const refusal = `process ${child.pid} has the store open for writing`
      assert.strictEqual(yield* tryTake(path), refusal)
      process.kill(child.pid, "SIGSTOP")
      assert.strictEqual(yield* tryTake(path), refusal)
      process.kill(child.pid, "SIGCONT")
      yield* child.go
      assert.strictEqual(yield* child.line, "true")
      yield* child.kill
      assert.strictEqual(yield* tryTake(path), "held")
    }))

  it.live("is had at once from a process that was killed and that its parent hasn't asked about", () =>
    Effect.gen(function*() {
      const path = yield* directory
      // The shell becomes a program that never asks about the child it was given.
      const child = yield* startHolder(path, { within: ["bash", "-c", `"$@" <&0 & exec sleep 600`, "bash"] })
      const { pid } = holder(path)
      assert.notStrictEqual(pid, child.pid)
      process.kill(pid, "SIGKILL")
      while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"))) yield* Effect.yieldNow
      assert.strictEqual(yield* tryTake(path), "held")
    }))

  it.effect("is had at once where another process has the holder's number, or the machine was started again", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const changes = [{ started: "1" }, { boot: "another" }] as const
      for (const change of changes) {
        const lock = yield* acquireLock(unsynced, path)
        rewrite(path, { pid: process.ppid })
        assert.strictEqual(yield* tryTake(path), "held", "a process that didn't start when this one did")
        assert.isFalse(lock.held())
        yield* acquireLock(unsynced, path)
        rewrite(path, change)
        assert.strictEqual(yield* tryTake(path), "held", JSON.stringify(change))
      }
    }))

  it.effect("in a copy of the directory holds nobody off", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const copy = join(yield* directory, "copy")
      const lock = yield* acquireLock(unsynced, path)
      cpSync(path, copy, { recursive: true })
      assert.strictEqual(yield* tryTake(copy), "held")
      assert.isTrue(lock.held())
    }))

  it.live("is had by one of several who take it at once from a dead process", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const dead = yield* startHolder(path)
      yield* dead.kill
      const takers = yield* startTogether(3, holdingScript, () => [path])
      const said = yield* Effect.forEach(takers, ({ line }) => line)
      assert.deepStrictEqual(said.filter((line) => line === "held"), ["held"], said.join())
      for (const line of said) if (line !== "held") assert.match(line, /has the store open for writing/)
    }), 60_000)

  it.effect("is had after its taker was stopped between any two file operations", () =>
    Effect.gen(function*() {
      let operation = 1
      for (let stopped = true; stopped; operation++) {
        const path = yield* directory
        const before = yield* acquireLock(unsynced, path)
        // As if it had ended.
        rewrite(path, { started: "1" })
        const power = makePower()
        power.stopAt(operation)
        const exit = yield* Effect.exit(Effect.scoped(Effect.map(acquireLock(power.disk, path), (lock) => lock.held())))
        stopped = power.count() >= operation
        power.lose(() => false)
        // What the stopped one left says that this process has it, which goes on: so it's made to look ended.
        rewrite(path, { started: "1" })
        assert.strictEqual(yield* tryTake(path), "held")
        assert.isFalse(before.held())
        if (!stopped) assert.deepStrictEqual(exit, Exit.succeed(true))
      }
      assert.isAbove(operation, 6)
    }))
})
