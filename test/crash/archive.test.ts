/** An archive is on the disk, with its name, before the store is written to again and loses what it holds. */
import { assert, it } from "@effect/vitest"
import { make as makeSqlite } from "@persist/backend-sqlite"
import { makeStore } from "@persist/core"
import * as Effect from "effect/Effect"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { fill } from "../runner/orders.ts"
import type { RetainCommand } from "./child/retain.ts"
import { start } from "./running.ts"
import { type Call, go, neededShim } from "./shim.ts"
import { newDirectory } from "./target.ts"

/** What of a directory's files a loss of power could take, by the calls that were made. */
class Unsynced {
  readonly paths = new Set<string>()
  named = 0
  private readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  see({ name, path, to }: Call): void {
    if (name === "rename" && to !== undefined && this.holds(to)) {
      this.named++
      // What isn't synced under the old name isn't under the new one.
      if (this.paths.delete(path)) this.paths.add(to)
      this.paths.add(this.directory)
    } else if ((name === "write" || name === "truncate") && this.holds(path)) this.paths.add(path)
    else if (name === "fsync" || name === "fdatasync") this.paths.delete(path)
  }

  private holds(path: string): boolean {
    return path.startsWith(`${this.directory}/`)
  }
}

it.live(
  "what is archived is synced, and so is its name, whenever the store is written to",
  (context) =>
    Effect.gen(function*() {
      const library = yield* neededShim(context)
      const directory = yield* newDirectory
      const url = `sqlite:${join(directory, "app.db")}`
      yield* Effect.scoped(Effect.gen(function*() {
        yield* fill(yield* makeStore(yield* makeSqlite({ path: join(directory, "app.db") })), 3, 40)
      }))
      mkdirSync(join(directory, "archive"))
      const unsynced = new Unsynced("archive")
      const early: Array<string> = []
      const command: RetainCommand = {
        args: ["retain", "--store", url, "--prefix", "order-", "--max-count", "10"].concat(
          ["--archive", join(directory, "archive")]
        )
      }
      const child = yield* start("retain.ts", command, {
        onMessage: () => undefined,
        watch: {
          library,
          directory,
          onCall: (call) => {
            if (call.name === "write" && call.path.startsWith("app.db")) early.push(...unsynced.paths)
            unsynced.see(call)
            return go
          }
        }
      })
      const { code, complaints } = yield* child.ended
      assert.strictEqual(code, 0, complaints)
      assert.isAbove(unsynced.named, 0)
      assert.deepStrictEqual(early, [])
    }),
  60_000
)
