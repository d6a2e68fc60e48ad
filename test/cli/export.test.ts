/** Exporting, and that importing what was exported gives the same. */
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { errorOf, history, openDesk } from "./program.ts"
import { useStore } from "./store-file.ts"

const without = (...names: ReadonlyArray<string>) => (event: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(event).filter(([name]) => !names.includes(name)))

test("exported and imported, every event is what it was: stream, seq, type, time, data, metadata, id", async () => {
  using desk = openDesk()
  await desk.json("init")
  await useStore(desk.path("app.db"), (store) =>
    store.log().append("strange \u202e\n\"stream\"", [
      { type: "Bytes", data: new Uint8Array([0, 255, 10]), at: 1 },
      { type: "ty\u0000pe", data: { "": [null, "\ud800", 1e21, -0.5] }, meta: { by: "ada", $version: 2 }, id: "😀" },
      { type: "Far", data: null, at: 8.64e15 + 1 },
      { type: "Past", data: "x", at: -62198755200001 }
    ], { expected: 0 }))
  const before = await desk.jsonLines("read", "--all")
  expect(before).toHaveLength(4)
  expect((await desk.run("export", "all.ndjson.gz")).code).toBe(0)
  expect((await desk.run("import", "--store", "sqlite:copy.db", "all.ndjson.gz")).code).toBe(0)
  const after = await desk.jsonLines("read", "--all", "--store", "sqlite:copy.db")
  expect(after.map(without("position"))).toEqual(before.map(without("position")))
  const exported = gunzipSync(readFileSync(desk.path("all.ndjson.gz"))).toString()
  expect((await desk.run("export", "--store", "sqlite:copy.db")).stdout).toBe(exported)
})

test("what reading prints as JSON can be imported too", async () => {
  using desk = openDesk()
  await desk.runWith(`{"stream":"a","type":"T","at":0,"data":1,"meta":{"x":1}}\n`, "import", "-")
  const { stdout } = await desk.run("read", "--all", "--json")
  await desk.runWith(stdout, "import", "-", "--store", "sqlite:copy.db")
  const read = await desk.jsonLines("read", "a", "--store", "sqlite:copy.db")
  expect(read.map(without("position"))).toEqual([JSON.parse(stdout)].map(without("position")))
})

describe("over the whole history", () => {
  const desk = openDesk()
  beforeAll(() => desk.json("import", history))
  afterAll(() => desk[Symbol.dispose]())

  test("filters and bounds say which events, and the summary how many", async () => {
    const json = await desk.json("export", "out", "--prefix", "file/src/lsm/", "--type", "FileChanged", "--to", "20000")
    const lines = readFileSync(desk.path("out"), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line))
    expect(json).toMatchObject({ file: "out", events: lines.length, to: 20_000 })
    expect(lines.length).toBeGreaterThan(100)
    for (const { stream, type } of lines) {
      expect(stream).toMatch(/^file\/src\/lsm\//)
      expect(type).toBe("FileChanged")
    }
  })

  test("a file appears whole or not at all", async () => {
    writeFileSync(desk.path("kept"), "as it was")
    const begun = new Promise((resolve) => {
      const watcher = watch(desk.directory, (_, name) => {
        if (name?.endsWith(".part")) {
          watcher.close()
          resolve(undefined)
        }
      })
    })
    const running = desk.start("export", "kept")
    await begun
    running.process.kill("SIGINT")
    const { code } = await running.ended
    const original = gunzipSync(readFileSync(history)).toString()
    // It may have been done before the signal came.
    expect(readFileSync(desk.path("kept"), "utf8")).toBe(code === 130 ? "as it was" : original)
    expect(readdirSync(desk.directory).filter((name) => name.endsWith(".part"))).toEqual([])
  })

  test("Ctrl-C ends it while stdout is written, with a word that this isn't all", async () => {
    const running = desk.start("export")
    // Far less than everything: the program waits for whoever reads.
    running.process.stdout.once("data", () => running.process.kill("SIGINT"))
    const stderr = "stopped before the end: what was written is not all, and the same command begins anew\n"
    expect(await running.ended).toMatchObject({ code: 130, stderr })
  })

  test("a file that can't be written is refused", async () => {
    const refused = await desk.run("export", "no/such/directory/out", "--json")
    expect(errorOf(refused)).toMatchObject({ code: 1, field: "file", reason: expect.stringContaining("ENOENT") })
    expect(existsSync(desk.path("no"))).toBe(false)
  })

  test.each(["read --all", "export", "export --gzip", "streams", "tail -n 40000"])(
    "%s ends quietly when nobody reads on",
    async (command) => {
      const running = desk.start(...command.split(" "))
      running.process.stdout.once("data", () => running.process.stdout.destroy())
      expect(await running.ended).toMatchObject({ code: 0, stderr: "" })
    }
  )
})

test("where events were removed, it is said that an import numbers the others anew", async () => {
  using desk = openDesk()
  await desk.json("init")
  await useStore(desk.path("app.db"), (store) => {
    const log = store.log()
    const events = [1, 2, 3].map((data) => ({ type: "T", data }))
    return Effect.andThen(log.append("cut", events, { expected: 0 }), log.truncate("cut", 3))
  })
  const { code, stderr, stdout } = await desk.run("export")
  expect(code).toBe(0)
  expect(stdout.trimEnd().split("\n")).toHaveLength(1)
  expect(stderr).toMatch(/^note: of 1 stream the first events are not here \("cut" …\); an import .* from 1\n$/)
})
