/** The lock where its holder can't be looked up: in another container or on another machine, or nobody knows who. */
import { assert, describe, it } from "@effect/vitest"
import { disk } from "@persist/backend-file/disk"
import { acquireLock } from "@persist/backend-file/lock/lock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import type { Child } from "../backend-sqlite/child.ts"
import { heldFiles, holder, rewrite, startHolder, tryTake } from "./lock-holder.ts"
import { directory } from "./place.ts"
import { unsynced } from "./power.ts"

/** A child in a namespace of processes of its own where that can be made, and one whose lock says so elsewhere. */
const startElsewhere = Effect.fnUntraced(function*(path: string) {
  if (process.platform === "linux" && process.getuid?.() === 0) {
    const child = yield* startHolder(path, { within: ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"] })
    const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim()
    return { child, pid: Number(children) }
  }
  const child = yield* startHolder(path)
  rewrite(path, { namespace: "pid:[1]", pid: 1 })
  return { child, pid: child.pid }
})

/** Whether the child says that it still holds the lock. */
const asks = (child: Child) => Effect.andThen(child.go, child.line)

/** Takes the lock while the clock of the one who waits for it goes on, by as much as it asks for. */
const takeInTime = Effect.fnUntraced(function*(path: string, time: string) {
  const taking = yield* Effect.forkChild(tryTake(path), { startImmediately: true })
  yield* TestClock.adjust(time as "1 second")
  return taking
})

describe("a lock held elsewhere", () => {
  it.live("is refused while its holder shows that it's there", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const { child } = yield* startElsewhere(path)
      assert.strictEqual(holder(path).pid, 1)
      assert.strictEqual(
        yield* tryTake(path),
        `process 1 on ${hostname()} (or in another container) has the store open for writing`
      )
      assert.strictEqual(yield* asks(child), "true")
    }), 60_000)

  it.effect(
    "is had once its holder hasn't shown itself for ten seconds, and the holder is told so afterwards",
    () =>
      Effect.gen(function*() {
        const path = yield* directory
        const { child, pid } = yield* startElsewhere(path)
        process.kill(pid, "SIGSTOP")
        const early = yield* takeInTime(path, "9 seconds")
        assert.isUndefined(early.pollUnsafe())
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* Fiber.join(early), "held")
        process.kill(pid, "SIGCONT")
        assert.strictEqual(yield* asks(child), "false")
      }),
    60_000
  )

  it.effect("that nobody can read is had after ten seconds as well", () =>
    Effect.gen(function*() {
      const path = yield* directory
      mkdirSync(join(path, "lock"))
      writeFileSync(join(path, "lock", "0000000007.held"), "")
      const taking = yield* takeInTime(path, "11 seconds")
      assert.strictEqual(yield* Fiber.join(taking), "held")
      const lock = yield* acquireLock(unsynced, path)
      assert.isTrue(lock.held())
      assert.deepStrictEqual(heldFiles(path), [join(path, "lock", "0000000009.held")])
    }))

  it.effect("leaves whoever waits for it to be interrupted, with nothing taken", () =>
    Effect.gen(function*() {
      const path = yield* directory
      const before = yield* acquireLock(disk, path)
      rewrite(path, { host: "elsewhere" })
      const taking = yield* takeInTime(path, "3 seconds")
      yield* Fiber.interrupt(taking)
      assert.isTrue(before.held())
    }))
})
