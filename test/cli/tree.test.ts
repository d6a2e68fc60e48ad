/** A store as a tree of files, by the command line: killed while it follows, conflicts, full disks. */
import { appendRaw, putRaw, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { cpSync, existsSync, readdirSync, readFileSync, watch, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { text } from "node:stream/consumers"
import { exportTree } from "persist/effect/tree"
import { expect, test } from "vitest"
import { type Desk, errorOf, openDesk, programFor, type Running } from "./program.ts"
import { useStore } from "./store-file.ts"

/** Every file of a tree that stays, by its path. */
const filesOf = (desk: Desk, tree: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(desk.path(tree), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !join(entry.parentPath).includes(".persist"))
      .map(({ name, parentPath }) => [
        join(parentPath, name).slice(desk.path(tree).length),
        readFileSync(join(parentPath, name), "utf8")
      ])
  )

/** Changes hundreds of keys and streams at once, the `round`th time. */
const changeMuch = (round: number) => (store: StoreShape) => {
  const names = Array.from({ length: 200 }, (_, n) => `${n % 7}/${n}`)
  const puts = names.filter((_, n) => (n + round) % 5 > 0).map((key) =>
    putRaw({
      namespace: `n${round % 3}`,
      key,
      value: `{"round":${round},"pad":"${"x".repeat(round * 50)}"}`,
      meta: undefined
    }, {
      expected: "any"
    })
  )
  const event = { type: "Changed", data: `${round}`, at: undefined, meta: undefined, id: undefined }
  const appends = names.slice(0, 60).map((name) => appendRaw(name, [event, event], { expected: "any" }))
  return Effect.andThen(
    store.commit([store.kv(`n${(round + 1) % 3}`).ops.clear(), ...puts, ...appends]),
    store.log().truncate("1/1", round * 2 + 1)
  )
}

/** Ends a process once so many files have begun to be written, or at the end of its pass. */
const killAt = (desk: Desk, running: Running, files: number, pass: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    let seen = 0
    const end = () => {
      watcher.close()
      running.process.kill("SIGKILL")
      resolve()
    }
    const watcher = watch(desk.path("state/.persist"), (event, name) => {
      if (event === "rename" && name !== null && /^\d/.test(name) && ++seen === files) end()
    })
    void pass.then(end)
  })

/** Starts to follow; answers once the tree is up to date, with what says so of the next pass. */
const follow = async (desk: Desk): Promise<{ readonly running: Running; readonly pass: Promise<unknown> }> => {
  const running = desk.start("tree", "export", "state", "--follow", "--json")
  const lines = createInterface({ input: running.process.stdout })[Symbol.asyncIterator]()
  await lines.next()
  return { running, pass: lines.next() }
}

test("killed again and again while it follows, every file is whole, and it ends as a fresh export", async () => {
  using desk = openDesk()
  await useStore(desk.path("app.db"), changeMuch(0))
  for (const [round, files] of [1, 100, 300].entries()) {
    const { pass, running } = await follow(desk)
    const killed = killAt(desk, running, files, pass)
    await useStore(desk.path("app.db"), changeMuch(round + 1))
    await killed
    expect((await running.ended).signal).toBe("SIGKILL")
    for (const [path, content] of Object.entries(filesOf(desk, "state"))) {
      expect(content.endsWith("\n"), path).toBe(true)
      if (path.endsWith(".json")) JSON.parse(content)
      if (path.endsWith(".ndjson")) { for (const line of content.trimEnd().split("\n")) JSON.parse(line) }
    }
  }
  expect((await desk.json("tree", "export", "state"))["position"]).toBeGreaterThan(0)
  await useStore(desk.path("app.db"), (store) => exportTree(store, desk.path("fresh")))
  const files = filesOf(desk, "fresh")
  expect(filesOf(desk, "state")).toEqual(files)
  expect(Object.keys(files).length).toBeGreaterThan(150)
  expect(readdirSync(desk.path("state/.persist")).sort()).toEqual([".gitignore", "writer"])
})

test("what was edited is imported; what others changed since is a conflict, which ends with 3", async () => {
  using desk = openDesk()
  const put = (value: string) => useStore(desk.path("app.db"), (store) => store.kv("settings").put("theme", value))
  await put("dark")
  expect(await desk.json("tree", "export", "state")).toMatchObject({ position: 1, written: 1, removed: 0 })
  const theme = desk.path("state/kv/settings/theme.json")
  writeFileSync(theme, `"light"`)
  const imported = await desk.run("tree", "import", "state")
  expect(imported).toMatchObject({ code: 0, stdout: "imported 1 value, 0 events in 1 commit\n" })
  writeFileSync(theme, `"odd"`)
  const conflict = await desk.run("tree", "import", "state", "--json")
  expect(errorOf(conflict)).toMatchObject({ code: 3, tag: "Conflict", conflicts: [{ path: "kv/settings/theme.json" }] })
  expect(conflict.stderr).toMatch(/^conflict: kv\/settings\/theme\.json: its key was changed since the export/)
  writeFileSync(theme, `{"odd"`)
  expect(errorOf(await desk.run("tree", "import", "state", "--json"))).toMatchObject({
    code: 2,
    tag: "Invalid",
    field: "kv/settings/theme.json"
  })
})

test("a full disk ends it with 4, and the same command goes on", async () => {
  using desk = openDesk()
  await useStore(desk.path("app.db"), (store) => store.kv("a").put("small", 1))
  await desk.json("tree", "export", "state")
  await useStore(desk.path("app.db"), (store) => store.kv("a").put("large", "x".repeat(600_000)))
  cpSync(desk.path("state"), desk.path("before"), { recursive: true })
  // No file may grow beyond this: for the program it's as if the disk were full.
  const program = [process.execPath, ...programFor([])]
  const child = spawn(
    "bash",
    ["-c", `ulimit -f 200 && exec "$@"`, "bash", ...program, "tree", "export", "state", "--json"],
    { cwd: desk.directory, env: { ...process.env, PERSIST_URL: "sqlite:app.db" }, stdio: ["ignore", "ignore", "pipe"] }
  )
  const [stderr, code] = await Promise.all([text(child.stderr), new Promise((resolve) => child.on("close", resolve))])
  expect({ code, ...JSON.parse(stderr).error }).toMatchObject({
    code: 4,
    tag: "Unavailable",
    remedy: expect.stringContaining("free some space")
  })
  expect(filesOf(desk, "state")).toEqual(filesOf(desk, "before"))
  expect(await desk.json("tree", "export", "state")).toMatchObject({ written: 1 })
  expect(existsSync(desk.path("state/kv/a/large.json"))).toBe(true)
})

test("Ctrl-C ends following with 130; who is taken over ends with 3", async () => {
  using desk = openDesk()
  const put = (value: number) => useStore(desk.path("app.db"), (store) => store.kv("a").put("x", value))
  await put(1)
  const first = (await follow(desk)).running
  const second = (await follow(desk)).running
  await put(2)
  expect(await first.ended).toMatchObject({ code: 3, stderr: expect.stringContaining("has taken over") })
  second.process.kill("SIGINT")
  expect(await second.ended).toMatchObject({ code: 130, stderr: expect.stringContaining("goes on from there") })
})
