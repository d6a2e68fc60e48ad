/** Projections over the real history by the command line: the known results, snapshots, time travel, compaction. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { errorOf, history, openDesk, root } from "./program.ts"

const expected = JSON.parse(readFileSync(join(root, "examples/data/repository-history.expected.json"), "utf8"))
const module = (name: string) => join(root, "examples/repository-history", `${name}.ts`)

const desk = openDesk()
beforeAll(() => desk.json("import", history))
afterAll(() => desk[Symbol.dispose]())

const project = async (name: string, ...args: ReadonlyArray<string>) =>
  await desk.json("project", "--module", module(name), ...args)

test("contributors, churn by directory and the longest streams are those known beforehand", async () => {
  const { state: commits } = await project("contributors")
  expect(Object.keys(Object(commits))).toHaveLength(expected.authors)
  expect(commits).toMatchObject(expected.commitsByAuthor)
  const { state: churn } = await project("churn")
  expect(churn).toMatchObject(expected.churnByDirectory)
  const { state: streams, replayed } = await project("longest-streams")
  const { events, longestStreams: longest } = expected
  expect(streams).toEqual({ events, streams: expected.streams, longest })
  expect(replayed).toBe(events)
})

test("without --json the state alone is on stdout, and what it took on stderr", async () => {
  const { code, stderr, stdout } = await desk.run("project", "-m", module("churn"), "--prefix", "file/docs/")
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({ docs: expected.churnByDirectory.docs })
  expect(stderr).toMatch(
    /^churn@1 over streams "file\/docs\/"…: 1,906 events folded, up to position \d+, in [\d.]+ s\n$/
  )
})

test("as of a seq, a position and a time it is what it was then", async () => {
  const replica = ["--stream", "file/src/vsr/replica.zig"]
  expect(await project("longest-streams", ...replica, "--as-of", "seq:100")).toMatchObject({
    replayed: 100,
    seq: 100,
    state: { events: 100, streams: 1 }
  })
  const all = await desk.jsonLines("read", "--all", "--limit", "5000")
  const [last] = all.slice(-1)
  expect(await project("longest-streams", "--as-of", `position:${String(last?.["position"])}`)).toMatchObject({
    replayed: 5000,
    state: { events: 5000 }
  })
  const before2021 = all.concat(await desk.jsonLines("read", "--all", "--after", String(last?.["position"])))
    .filter(({ at }) => String(at) <= "2021-01-01T00:00:00.000Z").length
  expect(before2021).toBeGreaterThan(100)
  const then = await project("longest-streams", "--as-of", "2021-01-01T00:00:00Z")
  expect(then["state"]).toMatchObject({ events: before2021 })
})

test("a snapshot is gone on from, listed, deleted, and never changes the answer", async () => {
  const full = await project("churn")
  const saved = await desk.json("snapshot", "save", "--module", module("churn"))
  expect(saved["saved"]).toMatchObject({ projection: "churn", version: 1, scope: { all: true } })
  const short = await project("churn")
  expect(short["replayed"]).toBe(0)
  expect(short["snapshot"]).toMatchObject({ position: Object(saved["saved"]).position })
  expect(short["state"]).toEqual(full["state"])
  expect(await desk.jsonLines("snapshot", "ls", "--projection", "churn")).toEqual([saved["saved"]])
  expect(await desk.jsonLines("snapshot", "ls", "--projection", "other")).toEqual([])
  expect(await desk.json("snapshot", "rm", "--projection", "churn")).toEqual({ deleted: 1, kept: 0 })
  expect(await project("churn")).toMatchObject({ replayed: full["replayed"], snapshot: null })
})

test("a compacted stream answers as before by its snapshot, and the past is refused", async () => {
  const stream = ["--stream", "file/build.zig"]
  const before = await project("churn", ...stream)
  const would = await desk.json("compact", ...stream, "--module", module("churn"), "--dry-run", "--keep-events", "10")
  expect(would).toMatchObject({ removed: 348, first: 349, boundedBy: { _tag: "Keep", events: 10 }, snapshot: null })
  expect(await desk.jsonLines("read", "file/build.zig")).toHaveLength(358)
  const did = await desk.json("compact", ...stream, "--module", module("churn"), "--keep-events", "10")
  expect(did).toMatchObject({ removed: 348, snapshot: { seq: 358 } })
  expect(await desk.jsonLines("read", "file/build.zig")).toHaveLength(10)
  expect((await project("churn", ...stream))["state"]).toEqual(before["state"])
  const past = await desk.run("project", "-m", module("churn"), ...stream, "--as-of", "seq:5", "--json")
  expect(errorOf(past)).toMatchObject({ code: 2, field: `projection "churn"` })
  expect(await desk.json("snapshot", "rm", "--all")).toMatchObject({ kept: 1 })
  expect(await desk.json("verify")).toMatchObject({ sound: true, snapshots: 1 })
})

describe("a module that won't do", () => {
  const write = (name: string, content: string) => writeFileSync(desk.path(name), content)
  const core = join(root, "packages/core/src/index.ts")
  const projection = (step: string) =>
    `import { Projection } from ${JSON.stringify(core)}\n` +
    `export default Projection.make({ name: "p", version: 1, seed: 0, step: ${step} })`

  test.each([
    ["isn't there", "nowhere.ts", undefined, "there is no file nowhere.ts"],
    ["is none", "notes.txt", "hello", "notes.txt is no module"],
    ["has no default export", "named.ts", "export const a = 1", "named.ts has no default export"],
    ["exports something else", "number.ts", "export default 3", "the default export of number.ts is no projection"],
    ["throws", "throws.ts", `throw new Error("boom")`, "throws.ts can't be loaded (Error: boom, line 1)"],
    ["doesn't parse", "broken.ts", "export default {{", "broken.ts can't be loaded (SyntaxError"],
    ["imports what isn't there", "imports.ts", `import "not-installed"`, "can't be loaded (Error: Cannot find package"],
    ["steps and throws", "step.ts", projection(`(_, e) => { throw new Error("bad " + e.type) }`), "Error: bad "],
    ["gives a promise", "async.ts", projection("async (n) => n"), "its step gave a promise"],
    ["is named wrongly", "dollar.ts", projection("(n) => n").replace(`"p"`, `"$p"`), "Invalid: name"]
  ])("%s", async (_, name, content, reason) => {
    if (content !== undefined) write(name, content)
    const ran = await desk.run("project", "--module", name, "--stream", "repo", "--json")
    expect(errorOf(ran)).toMatchObject({ code: 2, reason: expect.stringContaining(reason) })
    expect(ran.stdout).toBe("")
    expect(ran.stderr.trimEnd().split("\n"), "no stack").toHaveLength(1)
  })

  test("tells with --log-level debug where it threw", async () => {
    write("throws.ts", `throw new Error("boom")`)
    const { stderr } = await desk.run("project", "--module", "throws.ts", "--log-level", "debug")
    expect(stderr).toMatch(/^error: --module: .*\n[^]*throws\.ts:1/)
  })
})

test.each([
  ["a bare number", ["--as-of", "12"], "12 may be a seq or a position"],
  ["a seq of several streams", ["--as-of", "seq:1"], "a seq counts within one stream only"],
  ["two scopes", ["--stream", "a", "--prefix", "b"], "is given beside --stream"],
  ["no time", ["--as-of", "yesterday"], `"yesterday" is no time`]
])("refuses %s", async (_, args, reason) => {
  const ran = await desk.run("project", "-m", module("churn"), ...args, "--json")
  expect(errorOf(ran)).toMatchObject({ code: 2, reason: expect.stringContaining(reason) })
})
