/** `persist diff`: what became of a state, and by which events, for people and as a JSON Patch. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { errorOf, openDesk, root } from "./program.ts"

const desk = openDesk()
afterAll(() => desk[Symbol.dispose]())

const at = (minute: number) => `2026-01-31T12:${String(minute).padStart(2, "0")}:00.000Z`
const placed = (stream: string, minute: number, total: number) => ({
  stream,
  type: "Placed",
  at: at(minute),
  data: { total }
})

beforeAll(async () => {
  const core = JSON.stringify(join(root, "packages/core/src/index.ts"))
  writeFileSync(
    desk.path("totals.ts"),
    `import { Projection } from ${core}
    export default Projection.make({
      name: "totals",
      version: 1,
      seed: {},
      step: ({ gone, ...totals }, { data, stream }) => ({ ...totals, [stream]: data.total })
    })`
  )
  const lines = [placed("order/1", 0, 12), placed("order/2", 5, 5), placed("order/1", 10, 15), placed("gone", 15, 1)]
  writeFileSync(desk.path("events.ndjson"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
  await desk.json("import", "events.ndjson")
})

const diff = (...args: ReadonlyArray<string>) => desk.run("diff", "--module", "totals.ts", ...args)

test("shows what differs, then the events that made it, and says on stderr what it took", async () => {
  const [first, , third] = (await desk.jsonLines("read", "--all")).map(({ position }) => Number(position))
  const { code, stderr, stdout } = await diff("--from", at(0), "--to", at(10))
  expect(stdout.replace(/^\d+/gm, "P")).toBe(`~ /order~11  12 → 15
+ /order~12  5
P  ${at(5)}  order/2@1  Placed  {"total":5}
P  ${at(10)}  order/1@2  Placed  {"total":15}
`)
  expect(stderr).toMatch(/^totals@1 over all streams: 2 differences by 2 events; 3 events folded in [\d.]+ s\n$/)
  expect(code).toBe(0)
  const same = await diff("--from", `position:${first}`, "--to", `position:${third}`)
  expect(same.stdout).toBe(stdout)
})

test("with --json it's both states and a JSON Patch, and of many events the first", async () => {
  const found = await desk.json("diff", "--module", "totals.ts", "--from", "position:0", "--events", "1")
  expect(found).toMatchObject({
    projection: "totals",
    version: 1,
    scope: { all: true },
    from: { position: 0 },
    to: null,
    before: {},
    after: { "order/1": 15, "order/2": 5, gone: 1 },
    patch: [
      { op: "add", path: "/order~11", value: 15 },
      { op: "add", path: "/order~12", value: 5 },
      { op: "add", path: "/gone", value: 1 }
    ],
    count: 4,
    events: [{ stream: "order/1", seq: 1, type: "Placed", at: at(0), data: { total: 12 } }]
  })
  const said = await diff("--from", "position:0", "--events", "0")
  expect(said.stderr).toContain("3 differences by 4 events, the first 0 of which are shown; 4 events folded")
})

test("of a stream it goes by seqs; nothing between is no difference, and ends with 0 as well", async () => {
  const one = await diff("--stream", "order/1", "--from", "seq:1")
  expect(one.stdout).toMatch(/^~ \/order~11 {2}12 → 15\n\d+ {2}\S+ {2}order\/1@2 .*\n$/)
  const none = await diff("--stream", "order/1", "--from", "seq:2")
  expect([none.code, none.stdout]).toEqual([0, ""])
  expect(none.stderr).toContain("0 differences by 0 events")
})

test("what is removed is told with what it was", async () => {
  const [last] = (await desk.jsonLines("tail")).slice(-1)
  await desk.json("append", "order/3", "Placed", "{\"total\":2}", "--expected", "0")
  const { stdout } = await diff("--from", `position:${String(last?.["position"])}`)
  expect(stdout).toMatch(/^- \/gone {2}1\n\+ \/order~13 {2}2\n\d+ {2}\S+ {2}order\/3@1 .*\n$/)
})

test.each([
  ["no moment", ["--from", "yesterday"], "--from"],
  ["a number that may be either", ["--from", "position:0", "--to", "7"], "--to"],
  ["a seq of all streams", ["--from", "seq:1"], "from.seq"],
  ["moments of two kinds", ["--from", "position:1", "--to", at(1)], "to"],
  ["the later moment first", ["--from", at(2), "--to", at(1)], "to"],
  ["a seq that isn't there yet", ["--stream", "order/2", "--from", "seq:9"], "from.seq"]
])("refuses %s", async (_, args, field) => {
  expect(errorOf(await diff(...args, "--json"))).toMatchObject({ code: 2, field })
})
