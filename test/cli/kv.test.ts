/** The kv as a shell script uses it. */
import { writeFileSync } from "node:fs"
import { afterAll, expect, test } from "vitest"
import { errorOf, openDesk } from "./program.ts"

const desk = openDesk()
afterAll(() => desk[Symbol.dispose]())

test("a value put is the value got, with its revision, time and metadata", async () => {
  const put = await desk.json("kv", "put", "ui", "theme", `{"dark":true}`, "--meta", `{"by":"ada"}`)
  expect(put).toEqual({ namespace: "ui", key: "theme", revision: 1 })
  expect((await desk.run("kv", "get", "ui", "theme")).stdout).toBe(`{"dark":true}\n`)
  expect((await desk.run("kv", "get", "ui", "theme", "--revision")).stdout).toBe("1\n")
  expect((await desk.run("kv", "get", "ui", "theme", "--meta")).stdout).toBe(`{"by":"ada"}\n`)
  expect(await desk.json("kv", "get", "ui", "theme")).toEqual({
    namespace: "ui",
    key: "theme",
    value: { dark: true },
    revision: 1,
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    meta: { by: "ada" }
  })
})

test("text and bytes come back as they are", async () => {
  await desk.runWith("two\nlines", "kv", "put", "raw", "text", "-", "--text")
  expect((await desk.run("kv", "get", "raw", "text", "--text")).stdout).toBe("two\nlines")
  writeFileSync(desk.path("bytes"), Buffer.from([0x1f, 0x8b, 0, 10]))
  await desk.json("kv", "put", "raw", "bytes", "--bytes-file", "bytes")
  expect((await desk.json("kv", "get", "raw", "bytes"))["value_base64"]).toBe("H4sACg==")
  expect((await desk.run("kv", "get", "ui", "theme", "--text")).code).toBe(2)
})

test("compare and set: the second of two who expect the same loses, with 3, and is shown what is there", async () => {
  expect((await desk.run("kv", "put", "lock", "l", "1", "--expected", "absent")).code).toBe(0)
  const lost = errorOf(await desk.run("kv", "put", "lock", "l", "2", "--expected", "absent", "--json"))
  expect(lost).toMatchObject({ code: 3, tag: "Conflict", key: "l", expected: "absent", current: { value: 1 } })
  const { revision } = await desk.json("kv", "get", "lock", "l")
  expect((await desk.run("kv", "rm", "lock", "l", "--expected", String(Number(revision) + 1))).code).toBe(3)
  expect((await desk.run("kv", "rm", "lock", "l", "--expected", String(revision))).code).toBe(0)
  expect(errorOf(await desk.run("kv", "get", "lock", "l", "--json"))).toMatchObject({ code: 1, tag: "Absent" })
})

test("ls lists namespaces, and keys in their order within bounds", async () => {
  for (const key of ["b/2", "a", "b/1", "ä"]) await desk.json("kv", "put", "many", key, `"${key}"`)
  const keys = async (...args: ReadonlyArray<string>) =>
    (await desk.jsonLines("kv", "ls", "many", ...args)).map(({ key }) => key)
  expect(await keys()).toEqual(["a", "b/1", "b/2", "ä"])
  expect(await keys("--prefix", "b/")).toEqual(["b/1", "b/2"])
  expect(await keys("--reverse", "--limit", "2")).toEqual(["ä", "b/2"])
  expect(await desk.jsonLines("kv", "ls")).toEqual(expect.arrayContaining([{ namespace: "many", keys: 4 }]))
})

test.each([
  ["no value", ["put", "n", "k"], "value"],
  ["two values", ["put", "n", "k", "1", "--bytes-file", "x"], "--bytes-file"],
  ["a value that is no JSON", ["put", "n", "k", "dark"], "value"],
  ["an expectation that is none", ["put", "n", "k", "1", "--expected", "0x1"], "--expected"],
  ["a namespace of the store's own", ["put", "$import", "k", "1"], "namespace"],
  ["a bound without a namespace", ["ls", "--prefix", "x"], "namespace"]
])("refuses %s", async (_, args, field) => {
  expect(errorOf(await desk.run("kv", ...args, "--json"))).toMatchObject({ code: 2, field })
  expect(await desk.jsonLines("kv", "ls", "n")).toEqual([])
})
