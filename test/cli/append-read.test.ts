/** Appending, reading and following, as a shell script does it. */
import { createInterface } from "node:readline"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { errorOf, openDesk } from "./program.ts"

describe("append", () => {
  const desk = openDesk()
  afterAll(() => desk[Symbol.dispose]())

  test("prints seq and position, and what is read is what was given", async () => {
    const args = ["--expected", "0", "--id", "e1", "--meta", `{"by":"ada"}`, "--at", "2020-01-01T00:00:00Z"]
    expect(await desk.json("append", "order/1", "Placed", `{"total":12}`, ...args)).toEqual({
      stream: "order/1",
      seq: 1,
      position: 1,
      repeated: false
    })
    expect(await desk.jsonLines("read", "order/1")).toEqual([{
      stream: "order/1",
      seq: 1,
      position: 1,
      type: "Placed",
      at: "2020-01-01T00:00:00.000Z",
      data: { total: 12 },
      meta: { by: "ada" },
      id: "e1"
    }])
  })

  test("takes data from stdin, and the time from the clock", async () => {
    const before = Date.now()
    const { code, stdout } = await desk.runWith(`[1, "zwei"]`, "append", "order/1", "Paid", "-", "--expected", "1")
    expect([code, stdout]).toEqual([0, "order/1@2 at position 2\n"])
    const [, event] = await desk.jsonLines("read", "order/1")
    expect(event).toMatchObject({ seq: 2, data: [1, "zwei"] })
    const at = Date.parse(String(event?.["at"]))
    expect(at).toBeGreaterThanOrEqual(before)
    expect(at).toBeLessThanOrEqual(Date.now())
  })

  test("a lost race ends with 3 and shows what came between", async () => {
    const conflict = errorOf(await desk.run("append", "order/1", "Paid", "--expected", "0", "--json"))
    expect(conflict).toMatchObject({ code: 3, tag: "Conflict", stream: "order/1", expected: 0, actual: 2 })
    expect(conflict["missing"]).toMatchObject([{ seq: 1, type: "Placed" }, { seq: 2, type: "Paid" }])
    const told = await desk.run("append", "order/1", "Paid", "--expected", "1")
    expect(told).toMatchObject({ code: 3, stdout: "" })
    expect(told.stderr.split("\n").map((line) => line.replace(/\S+Z/, "TIME"))).toEqual([
      `2  TIME  order/1@2  Paid  [1,"zwei"]`,
      `error: expected: stream "order/1" is at seq 2, expected 1; ` +
      "nothing happened: look at what is there and decide again",
      ""
    ])
    expect(await desk.jsonLines("read", "order/1")).toHaveLength(2)
  })

  test("repeated under the same commit id it happens once", async () => {
    const args = ["append", "once", "T", "1", "--expected", "any", "--commit-id", "c1"]
    const first = await desk.json(...args)
    expect(await desk.json(...args)).toEqual({ ...first, repeated: true })
    const other = await desk.run("append", "once", "T", "2", "--expected", "any", "--commit-id", "c1", "--json")
    expect(errorOf(other)).toMatchObject({ code: 2, tag: "Invalid", field: "id" })
    expect(await desk.jsonLines("read", "once")).toHaveLength(1)
  })

  test.each([
    ["an expectation that is none", ["s", "T", "1", "--expected", "-1"], "--expected"],
    ["no expectation", ["s", "T", "1"], "--expected"],
    ["data that is no JSON", ["s", "T", "{a:1}", "--expected", "any"], "data"],
    ["a time that is none", ["s", "T", "1", "--expected", "any", "--at", "now"], "--at"],
    ["metadata that is no object", ["s", "T", "1", "--expected", "any", "--meta", "3"], "--meta"],
    ["an empty name", ["", "T", "1", "--expected", "any"], "stream"]
  ])("refuses %s", async (_, args, field) => {
    expect(errorOf(await desk.run("append", ...args, "--json"))).toMatchObject({ code: 2, field })
    expect(await desk.jsonLines("read", "s")).toEqual([])
  })
})

describe("read", () => {
  const desk = openDesk()
  afterAll(() => desk[Symbol.dispose]())
  const lines = Array.from(
    { length: 6 },
    (_, n) => ({ stream: n % 2 ? "b/1" : "a/1", type: n < 3 ? "X" : "Y", data: n })
  )
  beforeAll(() => desk.runWith(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), "import", "-"))

  test.each([
    ["a/1", [0, 2, 4]],
    ["a/1 --from 2", [2, 4]],
    ["a/1 --to 2", [0, 2]],
    ["a/1 --reverse --limit 2", [4, 2]],
    ["nothing", []],
    ["--all", [0, 1, 2, 3, 4, 5]],
    ["--all --reverse --limit 1", [5]],
    ["--all --prefix b/", [1, 3, 5]],
    ["--all --type Y --prefix a/", [4]],
    ["--all --type X --type Y --limit 2", [0, 1]]
  ])("%s", async (args, data) => {
    const events = await desk.jsonLines("read", ...args.split(" "))
    expect(events.map((event) => event["data"])).toEqual(data)
  })

  test("--after goes on from a position", async () => {
    const [first, ...others] = await desk.jsonLines("read", "--all")
    expect(await desk.jsonLines("read", "--all", "--after", String(first?.["position"]))).toEqual(others)
    expect(others).toHaveLength(5)
  })

  test("rows can't move the cursor or break the line", async () => {
    const data = JSON.stringify("\u001b[31m\u009b1A\u202e")
    await desk.run("append", "evil\n\u001b[2J", "T", data, "--expected", "any")
    const { stdout } = await desk.run("tail", "-n", "1")
    expect(stdout).toMatch(/^[^\p{Cc}\u202e]+\n$/u)
    expect(stdout).toContain("evil\\u000a\\u001b[2J@1")
  })

  test.each([
    "",
    "a --all",
    "--all --from 1",
    "a --after 1",
    "a --prefix b",
    "a --type T",
    "a --limit 0",
    "a --from x"
  ])(
    "refuses read %s",
    async (args) => {
      const { code, stderr, stdout } = await desk.run("read", ...args.split(" ").filter((arg) => arg !== ""))
      expect([code, stdout]).toEqual([2, ""])
      expect(stderr).toMatch(/^error: [^\n]+; [^\n]+\n$/)
    }
  )
})

describe("tail", () => {
  const line = (data: number) => JSON.stringify({ stream: "a", type: data % 2 ? "Odd" : "Even", at: 0, data })
  const feed = Array.from({ length: 20 }, (_, n) => `${line(n)}\n`).join("")

  test("shows the last events, oldest first", async () => {
    using desk = openDesk()
    await desk.runWith(feed, "import", "-")
    const shown = async (...args: ReadonlyArray<string>) =>
      (await desk.jsonLines("tail", ...args)).map((event) => event["data"])
    expect(await shown()).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
    expect(await shown("-n", "2", "--type", "Odd")).toEqual([17, 19])
    expect(await shown("-n", "0")).toEqual([])
  })

  test("follows with what comes, each event once, until Ctrl-C", async () => {
    using desk = openDesk()
    await desk.runWith(feed, "import", "-")
    const running = desk.start("tail", "-f", "-n", "1", "--json")
    const seen = createInterface(running.process.stdout)[Symbol.asyncIterator]()
    const next = async () => JSON.parse((await seen.next()).value ?? "").data
    expect(await next()).toBe(19)
    await desk.runWith([20, 21, 22].map((n) => `${line(n)}\n`).join(""), "import", "-")
    expect([await next(), await next(), await next()]).toEqual([20, 21, 22])
    running.process.kill("SIGINT")
    expect((await running.ended).code).toBe(130)
  })
})
