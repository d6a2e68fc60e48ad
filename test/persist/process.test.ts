/** What a program sees: it ends once its store is closed, waits while it follows a shared one, and fails loudly. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { anyEvents, open } from "persist"
import { afterEach, beforeEach, describe, expect, it } from "vitest"

let directory = ""
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "persist-process-"))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const start = (file: string, url: string): ChildProcessWithoutNullStreams =>
  spawn(process.execPath, ["--conditions=source", join(import.meta.dirname, "child", file), url], { cwd: directory })

const outputOf = async (child: ChildProcessWithoutNullStreams) => {
  const chunks: Array<string> = []
  for (const output of [child.stdout, child.stderr]) output.on("data", (chunk) => chunks.push(String(chunk)))
  const [code] = await once(child, "close")
  return { code, output: chunks.join("") }
}

describe("a program", () => {
  it.each(["memory:", "sqlite::memory:", "sqlite:app.db"])("over %s ends once it closed its store", async (url) => {
    expect(await outputOf(start("leave.ts", url))).toEqual({ code: 0, output: "undefined undefined undefined\n" })
  })

  it("that follows a file lives, gets what another one writes, and ends when it closes", async () => {
    const url = `sqlite:${join(directory, "app.db")}`
    await using store = await open(url)
    await store.log().append("s", { type: "T", data: "first" }, { expected: 0 })
    const child = start("tail.ts", url)
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const next = async () => (await lines.next()).value
    expect([await next(), await next()]).toEqual(["ready", `"first"`])
    for (const key of ["a", "b"]) {
      await store.kv("n").put(key, 1)
      expect(await next()).toBe(key)
    }
    child.stdin.write("close\n")
    expect(await next()).toBe("closed")
    expect(await once(child, "close")).toEqual([0, null])
  })

  it.each([["sqlite:app.db", 1], ["memory:", 0]])(
    "over %s has %i timer to live for while a run or a loop waits",
    async (url, timers) => {
      const held = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length
      await using store = await open(url === "memory:" ? url : `sqlite:${join(directory, "app.db")}`)
      const before = held()
      const run = store.runSubscription({ name: "r", events: anyEvents, handle: () => undefined })
      expect(held()).toBe(before + timers)
      await run.stop()
      expect(held()).toBe(before)
      const loop = store.kv("n").watch()[Symbol.asyncIterator]()
      const pending = loop.next()
      expect(held()).toBe(before + timers)
      await loop.return?.()
      await pending
      expect(held()).toBe(before)
    }
  )

  it("that waits for what only it could write ends", async () => {
    expect(await outputOf(start("wait.ts", "memory:"))).toEqual({ code: 0, output: "" })
  })

  it("whose read model fails, and who doesn't look, ends with its error", async () => {
    const { code, output } = await outputOf(start("fail.ts", "memory:"))
    expect(code).not.toBe(0)
    expect(output).toContain("Corrupt")
    expect(output).not.toContain("went on")
  })
})
