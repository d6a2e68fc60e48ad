/** What lines an import takes, and what it does with those it doesn't. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { gzipSync } from "node:zlib"
import { expect, test } from "vitest"
import { errorOf, openDesk } from "./program.ts"

const good = (n: number) => `{"stream":"a","type":"T","at":${n},"data":${n}}`
const numbers = (events: ReadonlyArray<Record<string, unknown>>) => events.map(({ data }) => data)

test("a bad line stops the import: what is before it is in, and mended it goes on from there", async () => {
  using desk = openDesk()
  writeFileSync(desk.path("in.ndjson"), [good(1), good(2), `{"stream":"a","type":"T"}`, good(4)].join("\n"))
  const stopped = await desk.run("import", "in.ndjson", "--json")
  expect(errorOf(stopped)).toMatchObject({ code: 2, field: "line 3", line: 3, reason: "data: is missing" })
  expect(stopped.stdout).toBe("")
  expect(numbers(await desk.jsonLines("read", "a"))).toEqual([1, 2])
  writeFileSync(desk.path("in.ndjson"), [good(1), good(2), good(3), good(4)].join("\n"))
  expect(await desk.json("import", "in.ndjson")).toMatchObject({ resumedAfterLine: 2, events: 2 })
  expect(numbers(await desk.jsonLines("read", "a"))).toEqual([1, 2, 3, 4])
})

test("with --skip-bad bad lines are set aside as they are, counted and told, and everything else is in", async () => {
  using desk = openDesk()
  const bad = [`{"stream":"a","type":"T","data":1,"at":"yesterday"}`, "not json", `{"stream":"","type":"T","data":1}`]
  writeFileSync(desk.path("in.ndjson.gz"), gzipSync([good(1), bad[0], good(2), bad[1], bad[2], good(3)].join("\r\n")))
  const { code, stderr, stdout } = await desk.run("import", "in.ndjson.gz", "--skip-bad", "--json")
  expect(code).toBe(0)
  const setAside = desk.path("in.bad.ndjson")
  expect(JSON.parse(stdout)).toMatchObject({ events: 3, skipped: 3, lines: 6, setAside })
  expect(stderr.trimEnd().split("\n")).toEqual([
    `skipped: line 2: at: "yesterday" is no time`,
    "skipped: line 4: line: is no JSON",
    "skipped: line 5: stream: an empty string is no name"
  ])
  expect(readFileSync(setAside, "utf8")).toBe(bad.map((line) => `${line}\n`).join(""))
  expect(numbers(await desk.jsonLines("read", "a"))).toEqual([1, 2, 3])
})

test("a line set aside by a run that recorded no more is set aside once", async () => {
  using desk = openDesk()
  writeFileSync(desk.path("in.ndjson"), `${good(1)}\nbad one\n`)
  await desk.json("import", "in.ndjson", "--skip-bad=aside")
  writeFileSync(desk.path("aside"), "bad one\nbad two\n") // as a run leaves it that is killed before it commits
  writeFileSync(desk.path("in.ndjson"), `${good(1)}\nbad one\nbad two\n${good(2)}\n`)
  expect(await desk.json("import", "in.ndjson", "--skip-bad=aside")).toMatchObject({ events: 1, skipped: 1 })
  expect(readFileSync(desk.path("aside"), "utf8")).toBe("bad one\nbad two\n")
})

test("bytes, metadata and ids arrive, and times in every form", async () => {
  using desk = openDesk()
  const lines = [
    `{"stream":"a","type":"Bytes","at":"2020-01-02T03:04:05.678Z","data_base64":"AAH/"}`,
    `{"stream":"a","type":"Full","at":"2020-01-02T04:04:05+01:00","data":null,"meta":{"by":"ada"},"id":"e-2"}`,
    `{"stream":"a","type":"Date","at":"1999-12-31","data":[]}`,
    `{"stream":"a","type":"Numbered","at":-1,"data":"x","seq":77,"position":12345}`
  ]
  await desk.runWith(`\ufeff${lines.join("\n\n")}\n`, "import", "-")
  expect(await desk.jsonLines("read", "a")).toMatchObject([
    { seq: 1, type: "Bytes", at: "2020-01-02T03:04:05.678Z", data_base64: "AAH/" },
    { seq: 2, type: "Full", at: "2020-01-02T03:04:05.000Z", data: null, meta: { by: "ada" }, id: "e-2" },
    { seq: 3, type: "Date", at: "1999-12-31T00:00:00.000Z", data: [] },
    { seq: 4, type: "Numbered", at: "1969-12-31T23:59:59.999Z", data: "x" }
  ])
})

test("CloudEvents: source and subject make the stream, and nothing is lost", async () => {
  using desk = openDesk()
  const event = {
    specversion: "1.0",
    id: "A234",
    source: "/shop",
    subject: "order/7",
    type: "com.example.paid",
    time: "2020-04-05T17:31:00Z",
    datacontenttype: "application/json",
    traceparent: "00-1",
    data: { total: 3 }
  }
  const bare = { specversion: "1.0", id: "B", source: "urn:x", type: "t", subject: null, data_base64: "AQ==" }
  await desk.runWith(`${JSON.stringify(event)}\n${JSON.stringify(bare)}\n`, "import", "-")
  const meta = { source: "/shop", subject: "order/7", datacontenttype: "application/json", traceparent: "00-1" }
  expect(await desk.jsonLines("read", "--all")).toMatchObject([
    { stream: "/shop/order/7", type: event.type, at: "2020-04-05T17:31:00.000Z", data: { total: 3 }, id: "A234", meta },
    { stream: "urn:x", type: "t", id: "B", meta: { source: "urn:x" }, data_base64: "AQ==" }
  ])
})

test("bytes that are no UTF-8", async () => {
  using desk = openDesk()
  const ran = await desk.runWith(Buffer.from([0x22, 0xff, 0x22, 0x0a]), "import", "-", "--json")
  expect(errorOf(ran)).toMatchObject({ code: 2, field: "line 1", reason: "line: is no UTF-8 text" })
})

test("gzip that ends too soon: what came before is in", async () => {
  using desk = openDesk()
  const packed = gzipSync(Array.from({ length: 50_000 }, (_, n) => `${good(n)}\n`).join(""))
  writeFileSync(desk.path("in.gz"), packed.subarray(0, packed.length - 1000))
  const ran = await desk.run("import", "in.gz", "--json")
  expect(errorOf(ran)).toMatchObject({ code: 1, reason: "in.gz ends in the middle of its gzip data" })
  writeFileSync(desk.path("in.gz"), packed)
  const rest = await desk.json("import", "in.gz")
  expect(rest["resumedAfterLine"]).toBeGreaterThan(40_000)
  expect(rest["lines"]).toBe(50_000)
  expect(numbers(await desk.jsonLines("read", "a"))).toEqual(Array.from({ length: 50_000 }, (_, n) => n))
})

test.each([
  ["a file that isn't there", ["import", "nowhere.ndjson"], "there is no file nowhere.ndjson"],
  ["a directory", ["import", "."], ". is a directory"]
])("%s", async (_, args, reason) => {
  using desk = openDesk()
  expect(errorOf(await desk.run(...args, "--json"))).toMatchObject({ code: 2, field: "file", reason })
  expect(readdirSync(desk.directory)).toEqual([])
})
