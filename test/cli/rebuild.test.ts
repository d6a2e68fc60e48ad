/** New versions of read models by the command line: built beside the live one, compared, switched to, and back. */
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { type Desk, errorOf, openDesk, root } from "./program.ts"

const of = (path: string) => JSON.stringify(join(root, path))

/** A read model of what each customer has paid; every version but the first leaves out what is free. */
const sales = (version: number, step = "paid + event.data.amount") => `
import { Catalogue, ReadModel } from ${of("packages/core/src/index.ts")}
import * as Schema from ${of("node_modules/effect/dist/Schema.js")}

export default ReadModel.make({
  name: "sales",
  version: ${version},
  events: Catalogue.make({ Paid: Schema.Struct({ amount: Schema.Int }) }, { unknown: "skip" }),
  keys: (event) => ${version} > 1 && event.data.amount === 0 ? [] : event.stream,
  seed: 0,
  value: Schema.Int,
  step: (paid, event) => ${step}
})
`

const pay = (desk: Desk, name: string, amounts: ReadonlyArray<readonly [string, number]>) =>
  desk.runWith(
    amounts.map(([stream, amount]) => `${JSON.stringify({ stream, type: "Paid", data: { amount } })}\n`).join(""),
    "import",
    "-",
    "--name",
    name
  )

const states = async (desk: Desk, version: number) =>
  Object.fromEntries((await desk.jsonLines("kv", "ls", `sales@${version}`)).map(({ key, value }) => [key, value]))

test("a new version is compared before readers see it, then switched to, and back", async () => {
  using desk = openDesk()
  writeFileSync(desk.path("one.ts"), sales(1))
  writeFileSync(desk.path("two.ts"), sales(2, `paid + event.data.amount * (event.stream === "bob" ? 2 : 1)`))
  await pay(desk, "first", [["ann", 3], ["bob", 4], ["eve", 0]])
  // Nothing is live, and to build the first version would make it so.
  const none = await desk.run("projections", "rebuild", "one.ts", "--dry-run", "--json")
  expect(errorOf(none)).toMatchObject({ code: 2, field: "--dry-run" })
  expect(await desk.jsonLines("kv", "ls", "$live")).toEqual([])
  const first = await desk.run("projections", "rebuild", "one.ts", "--json")
  expect(JSON.parse(first.stdout)).toMatchObject({ version: 1, live: true, built: true })
  expect(first.stderr).toContain("nobody runs sales@1: until persist run does")
  const dry = await desk.run("projections", "rebuild", "two.ts", "--dry-run")
  expect(dry.stdout).toMatch(
    /differ in 2 keys: 0 added, 1 removed, 1 changed:\n {2}bob\n {4}- 4\n {4}\+ 8\n {2}eve\n {4}- 0\n$/
  )
  expect(dry.stderr).toContain("not live: without --dry-run it will be")
  expect(dry.stderr).toContain("persist projections forget sales@2 removes it")
  const live = async () => {
    const { stdout } = await desk.run("projections", "ls", "--json")
    return stdout.trim().split("\n").map((line) => JSON.parse(line)).map(({ name, standing }) => [name, standing])
  }
  expect(await live()).toEqual([["sales@1", "live"], ["sales@2", "building"]])
  await pay(desk, "second", [["ann", 1]])
  expect(await desk.json("projections", "rebuild", "two.ts")).toMatchObject({ version: 2, before: 1, live: true })
  expect(await states(desk, 2)).toEqual({ ann: 4, bob: 8 })
  expect(await desk.json("projections", "rebuild", "two.ts")).toMatchObject({ live: true, built: false })
  const old = await desk.run("projections", "rebuild", "one.ts", "--json")
  expect(errorOf(old)).toMatchObject({ code: 2, field: "FILE" })
  // The first version was left before the last event.
  const back = await desk.run("projections", "switch", "sales", "1", "--json")
  expect(errorOf(back)).toMatchObject({ code: 2, field: "version" })
  await desk.json("projections", "switch", "sales", "1", "--anyway")
  expect(await live()).toEqual([["sales@1", "live"], ["sales@2", "building"]])
  const differing = await desk.run("projections", "compare", "sales", "1", "2", "--json")
  expect(differing.code).toBe(1)
  expect(JSON.parse(differing.stdout)).toMatchObject({ added: 0, removed: 1, changed: 2 })
  await desk.json("projections", "switch", "sales", "2")
  await desk.json("projections", "forget", "sales@1")
  expect(await live()).toEqual([["sales@2", "live"]])
  expect(await states(desk, 1)).toEqual({})
})

test("a build that is killed goes on where it was, and readers see the old version until it's done", async () => {
  using desk = openDesk()
  const events = 10_000
  writeFileSync(desk.path("one.ts"), sales(1))
  // It comes no further while the file is there, so that it's killed in the middle.
  const held = `import { existsSync } from "node:fs"
    const turn = new Int32Array(new SharedArrayBuffer(4))
    const wait = ({ position }) => {
      while (position > ${events / 2} && existsSync("hold")) Atomics.wait(turn, 0, 0, 5)
      return 0
    }`
  writeFileSync(desk.path("two.ts"), held + sales(2, "paid + event.data.amount + wait(event)"))
  writeFileSync(desk.path("hold"), "")
  await pay(desk, "all", Array.from({ length: events }, (_, n) => [`customer-${n % 50}`, n % 3]))
  await desk.json("projections", "rebuild", "one.ts")
  const position = async () => {
    const { stdout } = await desk.run("projections", "show", "sales@2", "--json")
    return stdout === "" ? 0 : JSON.parse(stdout).partitions[0]?.position ?? 0
  }
  const rebuild = ["projections", "rebuild", "two.ts", "--patience", "1000"]
  const building = desk.start(...rebuild)
  let reached = 0
  while (reached === 0) reached = await position()
  building.process.kill("SIGKILL")
  await building.ended
  rmSync(desk.path("hold"))
  const left = await position()
  expect(left).toBeGreaterThanOrEqual(reached)
  expect(left).toBeLessThan(events)
  expect(await desk.json(...rebuild)).toMatchObject({ version: 2, live: true, from: left })
  const expected = Object.fromEntries(Object.entries(await states(desk, 1)).filter(([, paid]) => paid !== 0))
  expect(await states(desk, 2)).toEqual(expected)
  expect(Object.keys(expected)).toHaveLength(50)
})

test("a version that stops is told with what stopped it, and goes on once it's mended", async () => {
  using desk = openDesk()
  writeFileSync(desk.path("one.ts"), sales(1))
  const failing =
    `(() => { if (event.data.amount === 2) throw new Error("no twos"); return paid + event.data.amount })()`
  writeFileSync(
    desk.path("two.ts"),
    sales(2, failing).replace("export default", "const model =") + `
import { readModel } from ${of("packages/runner/src/index.ts")}
export const processor = readModel(model, { failure: { retries: 0 } })
`
  )
  await pay(desk, "all", [["ann", 1], ["ann", 2], ["bob", 1]])
  await desk.json("projections", "rebuild", "one.ts")
  const stopped = await desk.run("projections", "rebuild", "two.ts", "--json")
  expect(errorOf(stopped)).toMatchObject({ code: 1, field: "FILE" })
  expect(stopped.stderr).toContain("no twos")
  expect((await desk.run("projections", "show", "sales@1")).stdout).toContain("live")
  writeFileSync(desk.path("two.ts"), sales(2))
  expect(await desk.json("projections", "rebuild", "two.ts")).toMatchObject({ version: 2, live: true })
  expect(await states(desk, 2)).toEqual({ ann: 3, bob: 1 })
})
