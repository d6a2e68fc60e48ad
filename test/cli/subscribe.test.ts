/** Subscribing by the command line: at least once under a name, exactly once into a read model. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { expect, test } from "vitest"
import { type Desk, errorOf, openDesk, root } from "./program.ts"

const feed = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => {
    const data = from + i
    return `${JSON.stringify({ stream: `s/${data % 3}`, type: data % 2 ? "Odd" : "Even", at: 0, data })}\n`
  }).join("")

const fill = (desk: Desk, from: number, to: number) => desk.runWith(feed(from, to), "import", "-", "--name", `${from}`)

const once = async (desk: Desk, ...args: ReadonlyArray<string>) =>
  (await desk.jsonLines("subscribe", "--once", ...args)).map(({ data }) => data)

test("each run prints what came since the last one, under its own name", async () => {
  using desk = openDesk()
  await fill(desk, 0, 4)
  expect(await once(desk, "--name", "a")).toEqual([0, 1, 2, 3])
  expect(await once(desk, "--name", "a")).toEqual([])
  await fill(desk, 4, 7)
  expect(await once(desk, "--name", "a")).toEqual([4, 5, 6])
  expect(await once(desk, "--name", "odd", "--type", "Odd", "--prefix", "s/")).toEqual([1, 3, 5])
  expect(await once(desk, "--name", "late", "--from", "end")).toEqual([])
  await fill(desk, 7, 8)
  expect(await once(desk, "--name", "late", "--from", "end")).toEqual([7])
})

test.each([
  ["following", []],
  ["up to the head", ["--once"]]
])("%s, what was printed to nobody is printed again: the checkpoint follows behind", async (_how, args) => {
  using desk = openDesk()
  await fill(desk, 0, 20_000)
  const running = desk.start("subscribe", "--name", "a", "--json", ...args)
  running.process.stdout.once("data", () => running.process.stdout.destroy())
  expect((await running.ended).code).toBe(0)
  const rest = await once(desk, "--name", "a")
  expect(rest.length).toBeGreaterThan(0)
  expect(rest.length).toBeLessThanOrEqual(20_000)
  expect(rest).toEqual(rest.map((_, i) => 20_000 - rest.length + i))
})

test("following prints what comes; Ctrl-C saves how far, and the next run goes on", async () => {
  using desk = openDesk()
  await fill(desk, 0, 2)
  const running = desk.start("subscribe", "--name", "a", "--json")
  const printed = createInterface(running.process.stdout)[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await printed.next()).value ?? "").data
  expect([await next(), await next()]).toEqual([0, 1])
  await fill(desk, 2, 4)
  expect([await next(), await next()]).toEqual([2, 3])
  running.process.kill("SIGINT")
  const { code, stderr } = await running.ended
  expect(code).toBe(130)
  expect(stderr).toMatch(/^stopped after position \d+: the same command goes on from there \(checkpoint a\)\n$/)
  await fill(desk, 4, 5)
  expect(await once(desk, "--name", "a")).toEqual([4])
})

test("a second Ctrl-C doesn't wait for a reader who has stopped reading", async () => {
  using desk = openDesk()
  await fill(desk, 0, 50_000)
  const running = desk.start("subscribe", "--name", "a", "--json")
  await new Promise((resolve) => running.process.stdout.once("readable", resolve))
  running.process.kill("SIGINT")
  running.process.kill("SIGTERM")
  const code = await new Promise((resolve) => running.process.on("exit", resolve))
  expect([130, 143]).toContain(code)
})

const model = `
import { anyEvents, ReadModel } from ${JSON.stringify(join(root, "packages/core/src/index.ts"))}
import * as Schema from "effect/Schema"
export default ReadModel.make({
  name: "counts", version: 1, events: anyEvents, keys: (event) => event.stream, seed: 0, step: (n) => n + 1,
  value: Schema.Int
})
`.replace(`"effect/Schema"`, JSON.stringify(join(root, "node_modules/effect/dist/Schema.js")))

test("a read model takes each event once, however often it is run", async () => {
  using desk = openDesk()
  writeFileSync(desk.path("counts.ts"), model)
  await fill(desk, 0, 10)
  const first = await desk.json("subscribe", "--module", "counts.ts", "--once")
  expect(first).toMatchObject({ readModel: "counts", namespace: "counts@1", events: 10, keys: 3 })
  expect(await desk.json("subscribe", "--module", "counts.ts", "--once")).toMatchObject({ events: 0, keys: 3 })
  await fill(desk, 10, 12)
  const running = desk.start("subscribe", "--module", "counts.ts", "--json")
  const printed = createInterface(running.process.stdout)[Symbol.asyncIterator]()
  expect(JSON.parse((await printed.next()).value ?? "")).toMatchObject({ events: 2 })
  running.process.kill("SIGINT")
  expect((await running.ended).code).toBe(130)
  const values = await desk.jsonLines("kv", "ls", "counts@1")
  expect(values.map(({ key, value }) => [key, value])).toEqual([["s/0", 4], ["s/1", 4], ["s/2", 4]])
})

test.each([
  ["neither a name nor a module", [], "--name"],
  ["both", ["--name", "a", "--module", "m.ts"], "--name"],
  ["a filter for a read model", ["--module", "m.ts", "--type", "T"], "--module"],
  ["a name of the store's own", ["--name", "$a"], "name"],
  ["no place to begin", ["--name", "a", "--from", "then"], "--from"],
  ["a position that isn't there yet", ["--name", "a", "--from", "99"], "from.position"]
])("refuses %s", async (_, args, field) => {
  using desk = openDesk()
  expect(errorOf(await desk.run("subscribe", "--once", ...args, "--json"))).toMatchObject({ code: 2, field })
})
