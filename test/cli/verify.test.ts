/** Verifying: a sound store is found sound, and a file that was meddled with isn't. */
import { make as makeFile } from "@persist/backend-file"
import { make } from "@persist/backend-memory"
import { Findings } from "@persist/cli/verify/finding"
import { verifyLog } from "@persist/cli/verify/log"
import { append, commit } from "@persist/conformance/given"
import { type BackendShape, makeStore, registerReader } from "@persist/core"
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { errorOf, openDesk } from "./program.ts"
import { useStore } from "./store-file.ts"

const lines = Array.from(
  { length: 6 },
  (_, n) => `${JSON.stringify({ stream: n % 2 ? "b" : "a", type: "T", at: n, data: { n }, meta: { n } })}\n`
).join("")

const template = openDesk()
afterAll(() => template[Symbol.dispose]())
beforeAll(async () => {
  await template.runWith(lines, "import", "-")
  await useStore(template.path("app.db"), (store) =>
    Effect.andThen(
      store.kv("ns").putMany([["x", "x"], ["y", "y"]]),
      registerReader(store, "reader", { from: "end" })
    ))
})

const filledDesk = () => {
  const desk = openDesk()
  cpSync(template.path("app.db"), desk.path("app.db"))
  return desk
}

test("a store that holds is sound, and what was looked at is counted", async () => {
  using desk = filledDesk()
  const before = await desk.json("stats")
  expect(await desk.json("verify")).toMatchObject({
    sound: true,
    findings: [],
    events: 6,
    streams: 2,
    namespaces: 5,
    keys: 6,
    readers: 1
  })
  expect(await desk.json("stats")).toEqual(before)
  expect((await desk.run("verify")).stdout).toMatch(/^sound: 6 events, 2 streams, 6 keys, 0 snapshots, 1 reader in /)
})

test.each([
  ["a missing event", `DELETE FROM event WHERE seq = 2 AND at = 2`, `stream "a"`, "seq 3 follows seq 1"],
  [
    "data that is no JSON",
    `UPDATE event SET data = '{' WHERE at = 3`,
    `event 2 of stream "b"`,
    "its data is no JSON text"
  ],
  ["metadata that is no object", `UPDATE event SET meta = '[]' WHERE at = 3`, `event 2`, "its meta is no object"],
  ["a value that is no JSON", `UPDATE entry SET value = 'x' WHERE key = 'x'`, `key "x"`, "its value is no JSON text"],
  [
    "a stream that begins later than it says",
    `DELETE FROM event WHERE at = 0`,
    `stream "a"`,
    "it begins at seq 2, not 1"
  ],
  [
    "a checkpoint beyond the head",
    `UPDATE entry SET value = replace(value, '"position":', '"position":99') WHERE key = 'reader'`,
    `reader "reader"`,
    "beyond the head"
  ],
  [
    "a checkpoint that is none",
    `UPDATE entry SET value = '{}' WHERE key = 'reader'`,
    `key "reader"`,
    "missing key"
  ],
  [
    "an import record that is none",
    `UPDATE entry SET value = '[]' WHERE value LIKE '%sha256%'`,
    `of namespace "$import"`,
    "it is no record of an import"
  ]
])("%s is found, and ends with 1", async (_, sql, where, what) => {
  using desk = filledDesk()
  const db = new Database(desk.path("app.db"))
  expect(db.prepare(sql).run().changes).toBe(1)
  db.close()
  const ran = await desk.run("verify", "--json")
  const { findings, sound } = JSON.parse(ran.stdout)
  expect(sound).toBe(false)
  expect(findings).toContainEqual({ where: expect.stringContaining(where), what: expect.stringContaining(what) })
  expect(errorOf(ran)).toMatchObject({ code: 1, tag: "Unsound", found: findings.length })
})

describe("a backend that says otherwise of a stream by itself than among all", () => {
  const verify = (change: (backend: BackendShape) => Partial<BackendShape>) =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const memory = yield* make()
      const store = yield* makeStore(memory)
      yield* store.log().append("a", [1, 2, 3].map((data) => ({ type: "T", data })), { expected: 0 })
      const changed = yield* makeStore({ ...memory, ...change(memory) })
      const findings = new Findings()
      const progress = { update: () => undefined, say: () => undefined, clear: () => undefined }
      yield* verifyLog(changed, yield* store.head, findings, progress)
      return findings.kept.map(({ what }) => what)
    })))

  test("is sound where it doesn't", async () => {
    expect(await verify(() => ({}))).toEqual([])
  })

  test("is found where it loses an event", async () => {
    const readStream: BackendShape["readStream"] = () => Effect.succeed([])
    expect(await verify(() => ({ readStream }))).toEqual([
      "by itself it has no events, among all streams 3 events, seqs 1 to 3"
    ])
  })

  test("is found where it changes one", async () => {
    const changed = await verify(({ readStream }) => ({
      readStream: (range) => Effect.map(readStream(range), (events) => events.map((event) => ({ ...event, data: "0" })))
    }))
    expect(changed).toHaveLength(1)
  })

  test("is found where it lists no streams", async () => {
    const streams: BackendShape["streams"] = () => Effect.succeed([])
    expect(await verify(() => ({ streams }))).toEqual(["it has events and isn't listed"])
  })

  test("is found where positions don't rise", async () => {
    const changed = await verify(({ readAll }) => ({
      readAll: (range) => Effect.map(readAll(range), (page) => ({ ...page, items: [...page.items].reverse() }))
    }))
    expect(changed).toContain("it comes after position 3")
  })
})

test("a file that is no store, or damaged, is told as what it is", async () => {
  using desk = openDesk()
  writeFileSync(desk.path("app.db"), "not a database at all, but long enough to look like one".repeat(10))
  expect(errorOf(await desk.run("verify", "--json"))).toMatchObject({ code: 2, field: "store" })
})

test("of a store in a directory every file is looked at, and damage is named by file, byte and position", async () => {
  using desk = openDesk()
  const store = ["--store", "file:data"]
  await desk.runWith(lines, "import", "-", ...store)
  const sound = await desk.json("verify", ...store)
  expect(sound).toMatchObject({ sound: true, events: 6, files: { segments: 1, unfinished: 0, kept: [] } })
  const [log = ""] = readdirSync(desk.path("data/log"))
  const path = desk.path(`data/log/${log}`)
  const bytes = readFileSync(path)
  // Within the data of the last event.
  const at = bytes.lastIndexOf("{\"n\":5}")
  bytes[at + 5] = 0x36
  writeFileSync(path, bytes)
  const { code, stderr, stdout } = await desk.run("verify", ...store)
  expect(code).toBe(1)
  expect(stdout).toMatch(/log\/0+1-0\.log, at byte \d+, position \d+: the checksum doesn't match/)
  expect(stderr).toContain("verification has 1 finding; do what the findings say, or restore it from a backup")
})

// A store with so many segments that each of twenty events may be in another one.
const fillDirectory = (path: string) =>
  Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const backend = yield* makeFile({ path, segmentBytes: 1024 })
    for (let n = 0; n < 20; n++) yield* backend.commit([commit({ append: [append(`s${n}`, `{"n":${n}}`)] })])
  })))

test("what can be read of a store whose log is damaged is exported by the commands that are told", async () => {
  using desk = openDesk()
  const store = ["--store", "file:data"]
  await fillDirectory(desk.path("data"))
  const [log = ""] = readdirSync(desk.path("data/log"))
  const path = desk.path(`data/log/${log}`)
  const bytes = readFileSync(path)
  bytes[bytes.indexOf("{\"n\":2}") + 5] = 0x36
  writeFileSync(path, bytes)
  const { stderr } = await desk.run("verify", ...store)
  // Met again by reading, it's no other one.
  expect(stderr).toContain("verification has 1 finding; restore it from a backup, or export what can be read: ")
  const [, before = "", after = ""] = /persist (export .*), and persist (export .*)$/.exec(stderr.trim()) ?? []
  const exported = async (command: string) =>
    (await desk.jsonLines(...command.split(" "), ...store)).map(({ stream }) => stream)
  expect(await exported(before)).toEqual(["s0", "s1"])
  expect(await exported(after)).toEqual(Array.from({ length: 17 }, (_, n) => `s${n + 3}`))
})

test("of a store whose index is damaged the rest is read, and the remedy mends it", async () => {
  using desk = openDesk()
  const store = ["--store", "file:data"]
  await fillDirectory(desk.path("data"))
  const [run = ""] = readdirSync(desk.path("data/index"))
  const path = desk.path(`data/index/${run}`)
  const bytes = readFileSync(path)
  bytes[40] = (bytes[40] ?? 0) ^ 1
  writeFileSync(path, bytes)
  const { code, stderr, stdout } = await desk.run("verify", ...store)
  expect(code).toBe(1)
  expect(stdout).toContain("a block's checksum doesn't match; remove the file, and the index is made anew when")
  expect(stdout).toMatch(/^files: \d+ segments of 20 frames and 20 records/m)
  expect(stdout).toContain("not everything could be asked of the store: ")
  expect(stderr).toContain("verification has 1 finding; do what the findings say")
  rmSync(path)
  await desk.run("append", "one", "T", "1", "--expected", "0", ...store)
  expect(await desk.json("verify", ...store)).toMatchObject({ sound: true, events: 21, streams: 21 })
})
