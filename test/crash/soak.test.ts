/** The soak as a program: its options, its figures, its end. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { neededShim } from "./shim.ts"

const patience = 300_000

/** Runs it; once it has said `until`, it gets what Ctrl-C sends. */
const soak = (args: ReadonlyArray<string>, until?: string) =>
  Effect.promise(async () => {
    const child = spawn(process.execPath, ["--conditions=source", join(import.meta.dirname, "soak.ts"), ...args])
    const said = { out: "", err: "" }
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => said.err += chunk)
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      const before = said.out
      said.out += chunk
      if (until !== undefined && said.out.includes(until) && !before.includes(until)) child.kill("SIGINT")
    })
    const [code]: Array<unknown> = await once(child, "close")
    return { code, ...said }
  })

describe("npm run crash", () => {
  it.live("says what it can do, and what it can't", () =>
    Effect.gen(function*() {
      const help = yield* soak(["--help"])
      assert.strictEqual(help.code, 0)
      for (const option of ["--minutes", "--seed", "--target", "--json"]) assert.include(help.out, option)
      for (const args of [["--sed", "1"], ["--target", "nowhere"]]) {
        const refused = yield* soak(args)
        assert.strictEqual(refused.code, 2)
        assert.include(refused.err, args[0] ?? "")
        assert.strictEqual(refused.out, "")
      }
    }), patience)

  it.live("gives its figures as JSON", (context) =>
    Effect.gen(function*() {
      yield* neededShim(context)
      const { code, out } = yield* soak(["--target", "sqlite", "--seed", "3", "--runs", "1", "--rounds", "1", "--json"])
      const { seed, targets } = JSON.parse(out)
      assert.strictEqual(code, 0)
      assert.strictEqual(seed, 3)
      assert.strictEqual(targets.sqlite.runs, 1)
      assert.isAbove(targets.sqlite["commits acknowledged"], 0)
      assert.strictEqual(targets.sqlite.lost, 0)
    }), patience)

  it.live("ends with the figures so far when it's interrupted", (context) =>
    Effect.gen(function*() {
      yield* neededShim(context)
      const { code, out } = yield* soak(["--target", "sqlite", "--minutes", "60", "--rounds", "1"], "kills\n")
      assert.strictEqual(code, 0)
      assert.match(out, /commits acknowledged +\d/)
    }), patience)
})
