/** Whatever a store holds, exported and imported it is the same, and exported again so is the tree. */
import { appendRaw, putRaw } from "@persist/core"
import * as fc from "fast-check"
import { execFileSync } from "node:child_process"
import { open, type Store } from "persist"
import { exportTree, importTree } from "persist/tree"
import { describe, expect, test } from "vitest"
import { contentsOf, makePlace, withoutPlaces } from "./place.ts"

const oddNames = [
  "theme",
  "Theme",
  "THEME",
  "thEme",
  "a/b",
  "a",
  "a/",
  "/a",
  "a//b",
  "..",
  "../../etc/passwd",
  ".",
  ".git",
  "Git~1",
  "con",
  "CON",
  "nul.json",
  "a.json",
  "a.json/b",
  "a.bin",
  "x.ndjson",
  "a,entry",
  "a,c1",
  "A,c1",
  "a,from1001",
  "%2f",
  "a%2fb",
  "user:1",
  "a b",
  " a ",
  "a.",
  "\u0000",
  "\u0000/\u0000",
  "\u{1F600}",
  "\u{1F468}\u200D\u{1F469}",
  "\u00e9",
  "e\u0301",
  "\u00c9",
  "\u212a",
  "K",
  "k",
  "\u0130",
  "i\u0307",
  "\u00df",
  "\u1e9e",
  "ss",
  "\u03c3",
  "\u03c2",
  "\u03a3",
  "\ufb01",
  "fi",
  "\ufeffa",
  "\u3164",
  "\u65e5\u672c\u8a9e",
  "a".repeat(119),
  "a".repeat(121),
  "A".repeat(300),
  "\u00e9/".repeat(200) + "x",
  "x".repeat(1024),
  "\u0000".repeat(1000),
  "long/".repeat(100) + "x"
]

const names = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...oddNames) },
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom("a", "A", "/", ".", " ", "%", ",", "\u00e4", "\u00c4", "1"),
    minLength: 1,
    maxLength: 9
  })
)

// What other writers may have stored: nothing of it survives JSON.parse as it is.
const oddTexts = ["-0", "1.0", "1e400", "12345678901234567890", `{"a":1,"a":2}`, `{"b":1,"1":2}`, `"\\u0061\\ud800"`]

const payloads = fc.oneof(
  fc.json({ maxDepth: 3 }).map((text) => JSON.stringify(JSON.parse(text))),
  fc.constantFrom(...oddTexts),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => new Uint8Array(bytes))
)

const metas = fc.option(fc.constantFrom(`{"by":"ada"}`, `{"n":-0,"n":1e400}`, "{}"), { nil: undefined })

const at = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 8.64e15 + 1, -62198755200001))

const event = fc.record({ type: names, data: payloads, meta: metas, at, id: fc.option(names, { nil: undefined }) })

// Few enough that changes meet one another.
const places = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...oddNames.slice(0, 6)) }, names)

type Change = (store: Store) => Promise<unknown>

/** A change of a store that no other forbids. */
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ namespace: places, key: places, value: payloads, meta: metas })
    .map((entry): Change => (store) => store.commit([putRaw(entry, { expected: "any" })])),
  fc.tuple(places, fc.array(event, { minLength: 1, maxLength: 4 }))
    .map(([stream, events]): Change => (store) => store.commit([appendRaw(stream, events, { expected: "any" })])),
  fc.tuple(places, fc.nat(5)).map(([stream, before]): Change => (store) => store.log().truncate(stream, before + 1)),
  places.map((stream): Change => (store) => store.log().delete(stream, { expected: "any" })),
  fc.tuple(places, places).map(([namespace, key]): Change => (store) => store.kv(namespace).delete(key)),
  places.map((namespace): Change => (store) => store.kv(namespace).clear())
)

test("any store is the same after export and import, and its tree whichever of them it's exported from", async () => {
  let held = 0
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 5, maxLength: 40 }), async (changes) => {
      await using store = await open("memory:")
      for (const each of changes) await each(store)
      using place = makePlace()
      const exported = await exportTree(store, place.path)
      const files = place.files()
      expect(await exportTree(store, place.path)).toMatchObject({ written: 0, removed: 0 })
      expect(await exportTree(store, place.path, { replace: true })).toMatchObject({ written: 0, removed: 0 })
      expect(place.files()).toEqual(files)
      await using copy = await open("memory:")
      expect(await importTree(copy, place.path)).toMatchObject({ _tag: "Imported", unchanged: 0 })
      expect(await contentsOf(copy)).toEqual(await contentsOf(store))
      using again = makePlace()
      await exportTree(copy, again.path)
      expect(withoutPlaces(again.files())).toEqual(withoutPlaces(files))
      expect(await importTree(store, place.path)).toMatchObject({ puts: 0, events: 0, commits: 0 })
      held += exported._tag === "Exported" ? exported.written : 0
    }),
    { numRuns: 25 }
  )
  expect(held).toBeGreaterThan(50)
})

const stagesOf = { minLength: 2, maxLength: 4 }

test("brought up to date, step by step, a tree is what a fresh export is", async () => {
  let removed = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(change, { minLength: 1, maxLength: 15 }), stagesOf), async (stages) => {
      await using store = await open("memory:")
      using kept = makePlace()
      for (const stage of stages) {
        for (const each of stage) await each(store)
        const exported = await exportTree(store, kept.path)
        removed += exported._tag === "Exported" ? exported.removed : 0
      }
      using fresh = makePlace()
      await exportTree(store, fresh.path)
      expect(kept.files()).toEqual(fresh.files())
    }),
    { numRuns: 25 }
  )
  expect(removed).toBeGreaterThan(0)
})

/** A path as the most forgetful of file systems takes it. */
const forgotten = (path: string): string =>
  path.normalize("NFKD").toUpperCase().toLowerCase().replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    .split("/").map((part) => part.replace(/[. ]+$/, "")).join("/").normalize("NFC")

describe("whatever the names", () => {
  test("no file system takes one file for another, or for something else", async () => {
    let seen = 0
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(names, { minLength: 10, maxLength: 80 }), async (keys) => {
        await using store = await open("memory:")
        const all = [
          ...new Set(keys.flatMap((key) => [key, key.toUpperCase(), key.toLowerCase(), key.normalize("NFD")]))
        ]
          .filter((key) => Buffer.byteLength(key) <= 1024)
        await store.kv("n").putMany(all.map((key) => [key, key]))
        using place = makePlace()
        await exportTree(store, place.path)
        const paths = Object.keys(place.files()).filter((path) => path.startsWith("kv/n/"))
        expect(paths).toHaveLength(all.length)
        expect(new Set(paths.map(forgotten)).size).toBe(all.length)
        for (const path of paths) {
          expect(Buffer.byteLength(path)).toBeLessThan(512)
          for (const part of path.split("/")) {
            expect(part).not.toMatch(/^[. ]|[. ]$|[<>:"\\|?*~\p{Cc}]|^(con|prn|aux|nul|com\d|lpt\d)\s*(\.|$)/iu)
            expect(Buffer.byteLength(part)).toBeLessThan(160)
          }
          // A file and a directory of one name can't be beside one another.
          expect(paths.some((other) => forgotten(other).startsWith(`${forgotten(path)}/`))).toBe(false)
        }
        seen += paths.length
      }),
      { numRuns: 12, examples: [[oddNames]] }
    )
    expect(seen).toBeGreaterThan(200)
  })

  test.each([
    ["theme", "theme.json"],
    ["users/@alice", "users/@alice.json"],
    ["2026-01-31 report_v1.2", "2026-01-31 report_v1.2.json"],
    ["\u00e4rger", "\u00e4rger.json"],
    ["\u65e5\u672c\u8a9e", "\u65e5\u672c\u8a9e.json"],
    ["pageSize", "pageSize,c10.json"],
    ["README", "README,c3f.json"],
    ["user:1", "user%3a1.json"],
    ["../x", "%2e%2e/x.json"],
    [".git/config", "%2egit/config.json"],
    ["con", "%63on.json"],
    ["a.json/b", "a%2ejson/b.json"],
    ["a//b/", "a%2f%2fb%2f.json"],
    ["\u{1F600}", "%f0%9f%98%80.json"]
  ])("%s is %s", async (key, file) => {
    await using store = await open("memory:")
    await store.kv("n").put(key, 1)
    using place = makePlace()
    await exportTree(store, place.path)
    expect(Object.keys(place.files())).toContain(`kv/n/${file}`)
  })
})

test("values are laid out for people, token by token", async () => {
  await using store = await open("memory:")
  const value = ` {"z" : 1.0, "big":12345678901234567890,"a":[ ],"o":{},"a":[-0,{"b":"x, {}\\""}]}`
  await store.commit([putRaw({ namespace: "n", key: "k", value, meta: undefined }, { expected: "absent" })])
  await store.kv("n").put("deep", JSON.parse("[".repeat(40) + "1,2" + "]".repeat(40)))
  using place = makePlace()
  await exportTree(store, place.path)
  expect(place.read("kv/n/k.json")).toBe(`{
  "z": 1.0,
  "big": 12345678901234567890,
  "a": [],
  "o": {},
  "a": [
    -0,
    {
      "b": "x, {}\\""
    }
  ]
}
`)
  expect(JSON.parse(place.read("kv/n/deep.json"))).toEqual(await store.kv("n").get("deep"))
  await using copy = await open("memory:")
  await importTree(copy, place.path)
  const { values } = await contentsOf(copy)
  expect(values).toContainEqual([
    "n",
    "k",
    `{"z":1.0,"big":12345678901234567890,"a":[],"o":{},"a":[-0,{"b":"x, {}\\""}]}`,
    undefined
  ])
})

test("a stored text that is no JSON is Corrupt, and named", async () => {
  await using store = await open("memory:")
  await store.commit([putRaw({ namespace: "n", key: "k", value: "{", meta: undefined }, { expected: "absent" })])
  using place = makePlace()
  await expect(exportTree(store, place.path)).rejects.toMatchObject({
    _tag: "Corrupt",
    where: expect.stringContaining("\"k\"")
  })
})

test("git finds nothing changed where nothing has", async () => {
  await using store = await open("memory:")
  await store.kv("Settings").put("displayName", { b: 1, a: "\r\n" })
  await store.kv("icons").put("logo", Buffer.from("a text with\r\nline ends"))
  await store.log().append("order/1", { type: "Placed", data: { total: 12 } }, { expected: 0 })
  using place = makePlace()
  await exportTree(store, place.path)
  const git = (...args: ReadonlyArray<string>) =>
    execFileSync("git", ["-c", "core.autocrlf=true", "-c", "user.name=a", "-c", "user.email=a@b", ...args], {
      cwd: place.path,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"]
    })
  git("init", "-q")
  git("add", "-A")
  git("commit", "-q", "-m", "state")
  await exportTree(store, place.path, { replace: true })
  expect(git("status", "--porcelain")).toBe("")
  git("rm", "-rq", "kv")
  git("checkout", "-q", "HEAD", "--", "kv")
  await using copy = await open("memory:")
  await importTree(copy, place.path)
  expect(await contentsOf(copy)).toEqual(await contentsOf(store))
})
