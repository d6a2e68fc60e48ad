/** Running processors by the command line, and what operators see and say of them. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { type Desk, errorOf, openDesk, root } from "./program.ts"
import { until } from "./until.ts"

const of = (path: string) => JSON.stringify(join(root, path))

const mailer = `
import { Catalogue, Schema } from ${of("packages/persist/src/index.ts")}
import { subscription } from ${of("packages/persist/src/processors.ts")}
import { appendFileSync } from "node:fs"

const events = Catalogue.make({ Paid: Schema.Struct({ to: Schema.String }) }, { unknown: "skip" })

export const mailer = subscription({
  name: "mailer",
  events,
  partitions: 2,
  failure: { retries: 1, delay: 1, finally: "park" },
  handle: async ({ data: { to } }) => {
    if (to === "nobody") throw new Error("there is no address")
    appendFileSync("mails", to + "\\n")
  }
})
`

const pay = (desk: Desk, ...to: ReadonlyArray<string>) =>
  desk.runWith(
    to.map((name) => `${JSON.stringify({ stream: `order/${name}`, type: "Paid", data: { to: name } })}\n`).join(""),
    "import",
    "-",
    "--name",
    to.join()
  )

const mails = (desk: Desk) => readFileSync(desk.path("mails"), "utf8").trimEnd().split("\n").sort()

test("what modules export runs; failures are parked and dropped, and health says so by its exit code", async () => {
  using desk = openDesk()
  writeFileSync(desk.path("mailer.ts"), mailer)
  await pay(desk, "ann", "nobody", "bob")
  const running = desk.start("run", "mailer.ts", "--label", "here")
  const ls = () => desk.run("projections", "ls", "--json")
  const parked = () => desk.jsonLines("projections", "parked", "ls", "mailer")
  const [poison] = await until(parked, ({ length }) => length === 1)
  expect(poison).toMatchObject({
    stream: "order/nobody",
    state: "parked",
    attempts: [{ at: expect.stringMatching(/^20.*Z$/) }, {}]
  })
  const sick = await until(ls, ({ stdout }) => stdout.includes(`"state":"running"`))
  expect(sick.code).toBe(1)
  expect(JSON.parse(sick.stdout)).toMatchObject({ name: "mailer", parked: 1, healthy: false })
  expect((await desk.run("projections", "parked", "ls")).stdout).toContain(
    "2 attempts, at last Error: there is no address"
  )
  const shown = ["projections", "parked", "show", "mailer", String(poison?.position)] as const
  expect(await desk.json(...shown)).toMatchObject({ state: "parked", event: { data: { to: "nobody" } } })
  const [event, state, ...attempts] = (await desk.run(...shown)).stdout.trimEnd().split("\n")
  expect(event).toMatch(/order\/nobody@1 {2}Paid {2}\{"to":"nobody"\}$/)
  expect(state).toMatch(/^parked by mailer#\d; what follows of order\/nobody waits$/)
  expect(attempts).toEqual([1, 2].map(() => expect.stringMatching(/Z {2}Error: there is no address$/)))
  await desk.json("projections", "parked", "drop", "mailer", String(poison?.position))
  await until(ls, ({ code }) => code === 0)
  running.process.kill("SIGINT")
  const { code, stderr } = await running.ended
  expect(code).toBe(130)
  expect(stderr).toContain("here runs mailer")
  expect(stderr).toContain("stopped; the same command goes on from there")
  expect(mails(desk)).toEqual(["ann", "bob"])
  // Nobody runs it now.
  const missed = await desk.run("projections", "show", "mailer")
  expect(missed.code).toBe(1)
  expect(missed.stdout).toMatch(/NOT HEALTHY[^]*mailer#0 {2}idle/)
  await desk.json("projections", "forget", "mailer")
  expect(await desk.run("projections", "ls")).toMatchObject({ code: 0, stdout: "" })
})

test("a paused processor does nothing until it's resumed", async () => {
  using desk = openDesk()
  writeFileSync(desk.path("mailer.ts"), mailer)
  await pay(desk, "ann")
  const typo = errorOf(await desk.run("projections", "pause", "mialer", "--json"))
  expect(typo).toMatchObject({ code: 2, field: "name" })
  await desk.json("projections", "pause", "mailer", "--anyway")
  const running = desk.start("run", "mailer.ts")
  await until(() => desk.jsonLines("kv", "ls", "$runner"), ({ length }) => length === 1)
  expect((await desk.run("projections", "ls")).stdout).not.toContain("running")
  await desk.json("projections", "resume", "mailer")
  await until(() => desk.run("projections", "ls"), ({ code }) => code === 0)
  running.process.kill("SIGTERM")
  expect((await running.ended).code).toBe(143)
  expect(mails(desk)).toEqual(["ann"])
})

test("the first Ctrl-C says what is waited for, and the second ends at once", async () => {
  using desk = openDesk()
  const hanging = mailer.replace(
    `throw new Error("there is no address")`,
    `{ appendFileSync("mails", "begun"); await new Promise(() => {}) }`
  )
  writeFileSync(desk.path("mailer.ts"), hanging)
  await pay(desk, "ann", "nobody")
  const running = desk.start("run", "mailer.ts")
  const begun = () => existsSync(desk.path("mails")) && readFileSync(desk.path("mails"), "utf8").includes("begun")
  await until(() => desk.run("projections", "ls"), begun)
  let told = ""
  const waits = new Promise<void>((resolve) => {
    running.process.stderr.on("data", (chunk) => {
      told += String(chunk)
      if (/waiting for what is in hand: mailer#\d at position \d/.test(told)) resolve()
    })
  })
  running.process.kill("SIGINT")
  await waits
  running.process.kill("SIGINT")
  const { code, stderr } = await running.ended
  expect(code).toBe(130)
  expect(stderr).toMatch(/finishing what is in hand; Ctrl-C again ends at once[^]*info: waiting for/)
  expect(stderr).not.toContain("stopped")
})

test.each([
  ["a file that isn't there", ["run", "gone.ts"], "FILE"],
  ["a module without a processor", ["run", "empty.ts"], "FILE"],
  ["a name that two have", ["run", "mailer.ts", "again.ts"], "FILE"],
  ["a position where nothing is parked", ["projections", "parked", "retry", "mailer", "3"], "position"]
])("%s is refused by its name", async (_what, args, field) => {
  using desk = openDesk()
  writeFileSync(desk.path("mailer.ts"), mailer)
  writeFileSync(desk.path("again.ts"), mailer)
  writeFileSync(desk.path("empty.ts"), "export default 1\n")
  await desk.run("init")
  expect(errorOf(await desk.run(...args, "--json"))).toMatchObject({ code: 2, field })
})
