/** The shim: it sees every call that changes something, in its place among the messages, and does as it's told. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { CallsCommand } from "./child/calls.ts"
import { start } from "./running.ts"
import { type Call, describeCall, go, neededShim, type Verdict } from "./shim.ts"
import { newDirectory } from "./target.ts"

/** Lets the calls be made, and gives everything that was said, calls and what they gave, in order. */
const calls = Effect.fnUntraced(function*(library: string, onCall: (call: Call, nth: number) => Verdict) {
  const directory = yield* newDirectory
  const said: Array<string> = []
  let nth = 0
  const command: CallsCommand = { directory }
  const child = yield* start("calls.ts", command, {
    onMessage: (message) => {
      if (message._tag === "Mark" && message.name !== "ready") said.push(`= ${message.name}`)
    },
    watch: {
      library,
      directory,
      onCall: (call) => {
        said.push(describeCall(call))
        return onCall(call, nth++)
      }
    }
  })
  const { complaints, signal } = yield* child.ended
  const path = join(directory, "file")
  return { said, signal, complaints, file: existsSync(path) ? readFileSync(path, "latin1") : undefined }
})

// What Node's rm does to a directory begins with taking it for a file.
const all = `open file
write file of 10 = 10
write file of 10 at 20 = 10
write file of 20 at 40 = 20
truncate file of 55 = undefined
fsync file = undefined
fdatasync file = undefined
mkdir inner = undefined
link file to inner/link = undefined
rename inner/link to renamed = undefined
unlink renamed = undefined
unlink inner
rmdir inner = undefined
unlink file = undefined`.split(/\n| (?==)/)

describe("the shim", () => {
  it.live("tells of every call before it's made, after what was said before", (context) =>
    Effect.gen(function*() {
      const { complaints, said } = yield* calls(yield* neededShim(context), () => go)
      assert.strictEqual(complaints, "")
      assert.deepStrictEqual(said, all)
    }))

  it.live("passes over as many calls as it's told to", (context) =>
    Effect.gen(function*() {
      const { said } = yield* calls(yield* neededShim(context), () => ({ _tag: "Go", passing: 3 }))
      const asked = said.filter((line) => !line.startsWith("="))
      assert.deepStrictEqual(asked, all.filter((line) => !line.startsWith("=")).filter((_, n) => n % 4 === 0))
    }))

  it.live("fails calls, cuts writes short and leaves calls out", (context) =>
    Effect.gen(function*() {
      // Node writes the rest of what came short by itself, and says how much it got done.
      const verdicts: ReadonlyArray<Verdict> = [
        go,
        { _tag: "Short", bytes: 4 },
        { _tag: "Fail", errno: "ENOSPC" },
        { _tag: "Fail", errno: "ENOSPC" },
        { _tag: "Short", bytes: 13 },
        { _tag: "Fail", errno: "EIO" },
        { _tag: "Lie" },
        { _tag: "Fail", errno: "EIO" }
      ]
      const { file, said } = yield* calls(yield* neededShim(context), (_, nth) => verdicts[nth] ?? { _tag: "Lie" })
      assert.strictEqual(
        said.slice(1, 13).join(", "),
        "write file of 10, write file of 6, = 4, write file of 10 at 20, = ENOSPC, "
          + "write file of 20 at 40, write file of 7 at 53, = 13, truncate file of 55, = undefined, fsync file, = EIO"
      )
      assert.strictEqual(file, `0123${"\0".repeat(36)}0123456789012`)
    }))

  const ends: ReadonlyArray<readonly [verdict: Verdict, file: string]> = [
    [{ _tag: "Kill" }, "0123456789"],
    [{ _tag: "Torn", bytes: 3 }, `0123456789${"\0".repeat(10)}012`],
    [{ _tag: "Last" }, `0123456789${"\0".repeat(10)}0123456789`]
  ]
  it.live.each(ends)("ends the process: %o", ([verdict, left], context) =>
    Effect.gen(function*() {
      const { file, said, signal } = yield* calls(yield* neededShim(context), (_, nth) => nth === 2 ? verdict : go)
      assert.strictEqual(signal, "SIGKILL")
      assert.deepStrictEqual(said, all.slice(0, 4))
      assert.strictEqual(file, left)
    }))
})
