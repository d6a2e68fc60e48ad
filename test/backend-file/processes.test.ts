/** Several processes: readers follow a writer, also past its death; a real disk that is full; want of permission. */
import { assert, describe, it } from "@effect/vitest"
import { make } from "@persist/backend-file"
import { Position, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { type Child, runChild, startChild } from "../backend-sqlite/child.ts"
import type { Skippable } from "../servers/program.ts"
import { directory, newPath } from "./place.ts"

const script = (name: string): string => new URL(`child/${name}`, import.meta.url).href

const start = Effect.fnUntraced(function*(name: string, ...args: ReadonlyArray<string>) {
  const child = yield* startChild(script(name), args)
  assert.strictEqual(yield* child.line, "ready")
  yield* child.go
  return child
})

// Takes lines until one says that so much was reached; answers the last.
const until = Effect.fnUntraced(function*(child: Child, reached: (line: string) => boolean) {
  let line = yield* child.line
  while (!reached(line)) line = yield* child.line
  return line
})

// One after the other, each killed while it writes.
const writers = 3

describe("a reader in another process", () => {
  it.live(
    "meets every event once and in order, past seals, merges and the writer's death",
    () =>
      Effect.gen(function*() {
        const path = yield* newPath
        const seen: Array<readonly [position: number, seq: number, data: string]> = []
        let acknowledged = 0
        const first = yield* start("load.ts", path, "8192")
        yield* until(first, (line) => Number(line) >= 30)
        const reader = yield* start("follow.ts", path)
        // Takes what the reader prints up to a seq.
        const see = Effect.fnUntraced(function*(seq: number) {
          while ((seen.at(-1)?.[1] ?? 0) < seq) seen.push(JSON.parse(yield* reader.line))
        })
        for (let writer = first, n = 1;; writer = yield* start("load.ts", path, "8192"), n++) {
          acknowledged = Number(yield* until(writer, (line) => Number(line) >= acknowledged + 600))
          yield* see(acknowledged)
          yield* writer.kill
          if (n === writers) break
        }
        const backend = yield* make({ path, readonly: true })
        const { items } = yield* backend.readAll({
          after: Position(0),
          to: Position(unbounded),
          prefix: "",
          types: undefined,
          limit: 100_000,
          reverse: false
        })
        assert.isAtLeast(items.length, acknowledged)
        yield* see(items.length)
        assert.deepStrictEqual(seen.map(([, seq]) => seq), seen.map((_, n) => n + 1))
        assert.deepStrictEqual(seen, items.map(({ data, position, seq }) => [position, seq, String(data)] as const))
        assert.strictEqual(new Set(seen.map(([, , data]) => Number(JSON.parse(data)[0]))).size, writers)
      }),
    120_000
  )
})

// Skips a test where the machine gives nobody a file system of its own.
const neededMounts = (context: Skippable): Effect.Effect<void> =>
  Effect.sync(() => {
    if (spawnSync("unshare", ["-rm", "true"]).status === 0) return
    const why = "unshare can't make a mount namespace here: allow user namespaces, or run as root"
    if (process.env.CI === undefined) return context.skip(why)
    throw new Error(`${why}; CI skips no test`)
  })

describe("a disk that is full", () => {
  it.live(
    "refuses commits, keeps what was acknowledged, and takes more once there is space",
    (context) =>
      Effect.gen(function*() {
        yield* neededMounts(context)
        const place = yield* directory
        // A file system of its own, of 2 MiB, for this process alone.
        const within = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=2m tmpfs \"$0\" && exec \"$@\"", place]
        const said = JSON.parse(yield* runChild(script("fill.ts"), [place], { within }))
        const { after, again, full, goesOn, read, reopened } = said
        assert.match(full.failed, /^Unavailable commit: the disk is full: .*ENOSPC.*; make space, then try again$/)
        assert.isAbove(full.acknowledged, 50)
        assert.deepStrictEqual(again, { acknowledged: 0, failed: full.failed })
        assert.strictEqual(read, full.acknowledged)
        assert.deepStrictEqual(goesOn, { acknowledged: 20 })
        assert.deepStrictEqual([after, reopened], [read + 20, read + 20])
      }),
    60_000
  )
})

describe("without permission", () => {
  it.live("what is missing is named with its remedy", () =>
    Effect.gen(function*() {
      const root = yield* directory
      chmodSync(root, 0o755)
      const opening = (path: string, readonly: boolean) =>
        runChild(script("open.ts"), [path, String(readonly)], { unprivileged: true })
      const path = join(root, "data")
      assert.match(yield* opening(path, false), /^Denied open: permission is denied: .*data \(EACCES\); grant/)
      yield* Effect.scoped(make({ path }))
      assert.match(yield* opening(path, false), /^Denied open: permission is denied: .*\(EACCES\); grant/)
      assert.match(yield* opening(path, true), /^opened at 0,/)
      chmodSync(path, 0o700)
      assert.match(yield* opening(path, true), /^Invalid path: .*can't be reached \(EACCES\)|^Denied open/)
      mkdirSync(join(root, "own"))
      chmodSync(join(root, "own"), 0o777)
      assert.match(yield* opening(join(root, "own"), false), /^opened at 0,/)
    }), 60_000)
})
