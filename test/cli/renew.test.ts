/** Another incarnation by the command line: what was saved before is told apart, whoever looks. */
import { copyFileSync, readdirSync } from "node:fs"
import { expect, test } from "vitest"
import { errorOf, openDesk } from "./program.ts"

test("after a restore no reader goes on by its old checkpoint, and what is stored stays", async () => {
  using desk = openDesk()
  await desk.run("append", "a", "T", "1", "--expected", "0")
  await desk.run("subscribe", "--name", "mailer", "--once")
  copyFileSync(desk.path("app.db"), desk.path("backup.db"))
  await desk.run("append", "a", "T", "2", "--expected", "1")
  await desk.run("subscribe", "--name", "mailer", "--once")
  // The backup is restored, and history goes another way than the reader was told.
  copyFileSync(desk.path("backup.db"), desk.path("app.db"))
  const { incarnation: before } = await desk.json("stats")
  const renewed = await desk.json("renew")
  expect(renewed).toEqual({
    store: "sqlite:app.db",
    backend: "sqlite",
    incarnation: expect.stringMatching(/^[0-9a-f-]{36}$/),
    readers: [{ name: "mailer", kind: "reader", command: "persist projections adopt mailer" }]
  })
  expect(renewed["incarnation"]).not.toBe(before)
  expect(await desk.json("stats")).toMatchObject({
    incarnation: renewed["incarnation"],
    events: 1,
    readers: [{ name: "mailer", lag: null }]
  })
  const refused = errorOf(await desk.run("subscribe", "--name", "mailer", "--once", "--json"))
  expect(refused).toMatchObject({ code: 1, tag: "Corrupt", where: `checkpoint of reader "mailer"` })
  expect(refused["reason"]).toContain("another history of the store")
  expect(await desk.jsonLines("subscribe", "--name", "other", "--once")).toMatchObject([{ data: 1 }])
  // It goes on with what came after the backup.
  await desk.json("projections", "adopt", "mailer")
  await desk.run("append", "a", "T", "3", "--expected", "1")
  expect(await desk.jsonLines("subscribe", "--name", "mailer", "--once")).toMatchObject([{ data: 3 }])
})

test("it is said in lines too, and a store without readers needs nothing more", async () => {
  using desk = openDesk()
  await desk.run("init")
  const bare = await desk.run("renew")
  expect(bare).toMatchObject({ code: 0, stderr: "" })
  expect(bare.stdout).toMatch(/^sqlite:app.db begins another history: incarnation [0-9a-f-]{36}\n$/)
  await desk.run("append", "a", "T", "1", "--expected", "0")
  await desk.run("subscribe", "--name", "mailer", "--once")
  const { stdout } = await desk.run("renew")
  expect(stdout.split("\n").slice(1)).toEqual([
    "1 reader can't go on until you say how:",
    "  mailer  reader: persist projections adopt mailer",
    ""
  ])
})

test("where there is no store none is made, and a store in memory has no other incarnation", async () => {
  using desk = openDesk()
  expect(errorOf(await desk.run("renew", "--json"))).toMatchObject({ code: 2, field: "store" })
  expect(readdirSync(desk.directory)).toEqual([])
  expect(errorOf(await desk.run("renew", "--store", "memory:", "--json"))).toMatchObject({
    code: 5,
    tag: "Unsupported",
    backend: "memory"
  })
})
