/** Importing the real history, killed and interrupted anywhere: each event once, in the order of the file. */
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { text } from "node:stream/consumers"
import { gunzipSync } from "node:zlib"
import { describe, expect, test } from "vitest"
import { type Desk, history, openDesk, programFor } from "./program.ts"
import { untilEvents } from "./store-file.ts"

const original = gunzipSync(readFileSync(history)).toString()
const lines = original.trimEnd().split("\n")
const firstLines = (count: number) => lines.slice(0, count).map((line) => `${line}\n`).join("")

/** Everything in the store, as lines like those that were imported. */
const everything = async (desk: Desk): Promise<string> => {
  const { code, stdout } = await desk.run("export")
  expect(code).toBe(0)
  return stdout
}

test("the whole history is in the store, event by event in the order of its lines", async () => {
  using desk = openDesk()
  const imported = await desk.json("import", history)
  expect(imported).toMatchObject({ events: 38_945, skipped: 0, lines: 38_945, resumedAfterLine: 0 })
  expect(lines.length).toBe(38_945)
  expect(await everything(desk)).toBe(original)
  expect(await desk.json("verify")).toMatchObject({ sound: true, events: 38_945, streams: 1681 })
})

test("importing it again imports nothing", async () => {
  using desk = openDesk()
  await desk.json("import", history)
  const head = (await desk.json("stats"))["head"]
  expect(await desk.json("import", history)).toMatchObject({ events: 0, resumedAfterLine: 38_945, head })
})

test("killed again and again, it goes on each time and loses and doubles nothing", async () => {
  using desk = openDesk()
  await desk.json("init")
  for (const events of [1, 9_000, 21_000, 30_000]) {
    const running = desk.start("import", "-", "--name", "history")
    // Its input doesn't end, so that it's killed before it has, however late that comes.
    running.process.stdin.write(original)
    await untilEvents(desk.path("app.db"), events)
    running.process.kill("SIGKILL")
    expect((await running.ended).signal).toBe("SIGKILL")
  }
  const rest = JSON.parse((await desk.runWith(original, "import", "-", "--name", "history", "--json")).stdout)
  expect(rest.resumedAfterLine).toBeGreaterThanOrEqual(30_000)
  expect(rest.lines).toBe(38_945)
  expect(await everything(desk)).toBe(original)
})

test("from stdin, what has come is committed while more is waited for, and after a kill only the rest is", async () => {
  using desk = openDesk()
  await desk.json("init")
  const running = desk.start("import", "-")
  running.process.stdin.write(firstLines(2500))
  await untilEvents(desk.path("app.db"), 2500)
  running.process.kill("SIGKILL")
  await running.ended
  const rest = await desk.runWith(original, "import", "-", "--json")
  expect(JSON.parse(rest.stdout)).toMatchObject({ resumedAfterLine: 2500, events: 36_445 })
  expect(await everything(desk)).toBe(original)
})

test("Ctrl-C says where it stopped, ends with 130, and the same command goes on", async () => {
  using desk = openDesk()
  await desk.json("init")
  const running = desk.start("import", "-")
  running.process.stdin.write(firstLines(1200))
  await untilEvents(desk.path("app.db"), 1200)
  running.process.kill("SIGINT")
  const { code, stderr } = await running.ended
  expect(code).toBe(130)
  expect(stderr).toBe("stopped after line 1,200: run the same command again to go on from there\n")
  const rest = await desk.runWith(firstLines(1300), "import", "-", "--json")
  expect(JSON.parse(rest.stdout)).toMatchObject({ resumedAfterLine: 1200, events: 100 })
  expect(await everything(desk)).toBe(firstLines(1300))
})

test("a full disk ends it with a word on where it stopped, and the same command goes on", async () => {
  using desk = openDesk()
  const program = [process.execPath, ...programFor([])]
  // No file may grow beyond this: for the program it's as if the disk were full.
  const child = spawn("bash", ["-c", `ulimit -f 3000 && exec "$@"`, "bash", ...program, "import", history], {
    cwd: desk.directory,
    env: { ...process.env, PERSIST_URL: "sqlite:app.db" },
    stdio: ["ignore", "ignore", "pipe"]
  })
  const [stderr, code] = await Promise.all([text(child.stderr), new Promise((resolve) => child.on("close", resolve))])
  expect(code).toBe(4)
  const [, line = ""] = /^stopped after line ([\d,]+): run the same command again.*\nerror: /.exec(stderr) ?? []
  const resumedAfterLine = Number(line.replace(",", ""))
  expect(resumedAfterLine).toBeGreaterThan(0)
  expect(await desk.json("import", history)).toMatchObject({ resumedAfterLine, events: 38_945 - resumedAfterLine })
})

test("of two imports of the same input the later one takes over, and nothing is doubled", async () => {
  using desk = openDesk()
  await desk.json("init")
  const earlier = desk.start("import", "-", "--json")
  earlier.process.stdin.write(firstLines(100))
  await untilEvents(desk.path("app.db"), 100)
  const later = await desk.runWith(firstLines(200), "import", "-", "--json")
  expect(JSON.parse(later.stdout)).toMatchObject({ resumedAfterLine: 100, events: 100 })
  earlier.process.stdin.end(firstLines(200).slice(firstLines(100).length))
  const { code, stderr } = await earlier.ended
  expect(code).toBe(3)
  expect(JSON.parse(stderr).error).toMatchObject({ tag: "Conflict", reason: "another import of stdin has taken over" })
  expect(await everything(desk)).toBe(firstLines(200))
})

describe("an input that has changed", () => {
  const write = async (desk: Desk, ...content: ReadonlyArray<string>) => {
    const { writeFileSync } = await import("node:fs")
    writeFileSync(desk.path("events.ndjson"), content.map((line) => `${line}\n`).join(""))
  }
  const event = (n: number) => JSON.stringify({ stream: "a", type: "Counted", at: n, data: { n } })

  test("by growing is imported from where it ended, also where its last line had no end", async () => {
    using desk = openDesk()
    await write(desk, event(1), event(2))
    const { truncateSync } = await import("node:fs")
    truncateSync(desk.path("events.ndjson"), event(1).length + 1 + event(2).length)
    expect(await desk.json("import", "events.ndjson")).toMatchObject({ events: 2 })
    await write(desk, event(1), event(2), event(3))
    expect(await desk.json("import", "events.ndjson")).toMatchObject({ events: 1, resumedAfterLine: 2, lines: 3 })
  })

  test.each([
    ["within what was imported", [event(1), event(7), event(3)]],
    ["by getting shorter", [event(1)]],
    ["by a line that is longer now", [event(1), event(22222), event(3)]],
    ["in its first line", [event(9), event(2), event(3)]]
  ])("%s is told apart, and nothing of it is imported", async (_, content) => {
    using desk = openDesk()
    await write(desk, event(1), event(2))
    await desk.json("import", "events.ndjson")
    await write(desk, ...content)
    const { code, stderr } = await desk.run("import", "events.ndjson")
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^error: file: events\.ndjson (differs|begins otherwise) .*; put it back as it was, or .*\n$/
    )
    expect(await desk.jsonLines("read", "a")).toHaveLength(2)
    expect(await desk.json("import", "events.ndjson", "--name", "another")).toMatchObject({ events: content.length })
  })

  test("only its name, under which it is found again", async () => {
    using desk = openDesk()
    await write(desk, event(1), event(2))
    await desk.json("import", "events.ndjson")
    const { renameSync } = await import("node:fs")
    renameSync(desk.path("events.ndjson"), desk.path("moved.ndjson"))
    expect(await desk.json("import", "moved.ndjson")).toMatchObject({ events: 0, resumedAfterLine: 2 })
  })
})
