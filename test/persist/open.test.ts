/** Opening stores by URL: what a URL may say, where it comes from, and what is refused without touching anything. */
import { make as makeMemory } from "@persist/backend-memory"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { Denied, Invalid, isStoreError, open, registerScheme, type Scheme, Unavailable } from "persist"
import { StoreUrl } from "persist/effect"
import { afterEach, beforeEach, describe, expect, it } from "vitest"

let directory = ""
const home = process.cwd()

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "persist-open-"))
  process.chdir(directory)
})
afterEach(() => {
  delete process.env["PERSIST_URL"]
  process.chdir(home)
  rmSync(directory, { recursive: true, force: true })
})

const failure = async (url: unknown, options?: unknown): Promise<unknown> =>
  // Wrong on purpose, beyond what the types let through.
  open(url as string, options as undefined).then(
    async (store) => {
      await store.close()
      return "opened"
    },
    (error: unknown) => error
  )

describe("a URL", () => {
  it("memory: is a new store each time", async () => {
    await using one = await open("memory:")
    await using other = await open("memory:")
    await one.kv("n").put("a", 1)
    expect(await other.kv("n").get("a")).toBeUndefined()
    expect(one.about).toMatchObject({ name: "memory", durability: "memory" })
  })

  it("sqlite:path is a file that is there again", async () => {
    {
      await using store = await open("sqlite:app.db")
      expect(store.about).toMatchObject({ name: "sqlite", durability: "disk", shared: true })
      await store.kv("n").put("a", 1)
    }
    await using store = await open(`sqlite:${join(directory, "app.db")}`)
    expect(await store.kv("n").get("a")).toBe(1)
  })

  it("sqlite::memory: is a store in memory", async () => {
    await using store = await open("sqlite::memory:")
    expect(store.about).toMatchObject({ name: "sqlite", durability: "memory", shared: false })
    expect(readdirSync(directory)).toEqual([])
  })

  it("file:path is a directory that is there again, and may be read meanwhile", async () => {
    {
      await using store = await open("file:data")
      expect(store.about).toMatchObject({ name: "file", durability: "disk", shared: false })
      await store.kv("n").put("a", 1)
      await using reader = await open("file:./data?readonly=true&pollInterval=1")
      expect(reader.about.shared).toBe(true)
      expect(await reader.kv("n").get("a")).toBe(1)
      expect(await open("file:data").catch((error: unknown) => error)).toBeInstanceOf(Unavailable)
    }
    await using store = await open(`file://${join(directory, "data")}?segmentBytes=65536`)
    expect(await store.kv("n").get("a")).toBe(1)
    await using other = await open(`file:${join(directory, "data")}?readonly=true`)
    expect(other.about.incarnation).toBe(store.about.incarnation)
  })

  it("has its scheme in any case, and its path percent-decoded", async () => {
    await using _ = await open("SQLite:a%20%3F%25%23.db")
    expect(readdirSync(directory)).toContain("a ?%#.db")
    await using __ = await open("sqlite:plus+and#.db")
    expect(readdirSync(directory)).toContain("plus+and#.db")
  })

  it("has its backend's options as parameters", async () => {
    await (await open("sqlite:app.db?synchronous=NORMAL&busyTimeout=50&pollInterval=1")).close()
    await using weaker = await open("sqlite:app.db?synchronous=NORMAL")
    expect(weaker.about.durability).toBe("process")
    await using reader = await open("sqlite:app.db?readonly=true")
    const refused = await reader.kv("n").put("a", 1).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Denied)
    await using writer = await open("sqlite:app.db?readonly=false")
    expect((await writer.kv("n").put("a", 1))._tag).toBe("Committed")
  })
})

describe("without a URL", () => {
  it("the store is that of PERSIST_URL", async () => {
    process.env["PERSIST_URL"] = "sqlite:from-the-environment.db"
    await using store = await open()
    expect(store.about.name).toBe("sqlite")
    expect(readdirSync(directory)).toContain("from-the-environment.db")
  })

  it.each([undefined, ""])("and with PERSIST_URL %j it is sqlite:./persist.db", async (value) => {
    if (value !== undefined) process.env["PERSIST_URL"] = value
    await using _ = await open(undefined, {})
    expect(readdirSync(directory)).toContain("persist.db")
  })

  it("a wrong PERSIST_URL is refused like any other", async () => {
    process.env["PERSIST_URL"] = "nosuch:x"
    expect(await failure(undefined)).toMatchObject({ _tag: "Invalid", field: "url" })
  })
})

describe("is refused, naming the schemes there are", () => {
  it.each([
    ["an empty URL", ""],
    ["a path without a scheme", "./app.db"],
    ["a scheme that isn't known", "mysql://db"],
    ["a drive letter", "C:\\app.db"],
    ["null", null],
    ["a number", 7],
    ["an object", {}]
  ])("%s", async (_, url) => {
    const error = await failure(url)
    expect(error).toBeInstanceOf(Invalid)
    expect(error).toMatchObject({ field: "url" })
    expect(String(error)).toMatch(/memory:, sqlite:/)
    expect(readdirSync(directory)).toEqual([])
  })
})

describe("is refused, naming the field and the remedy", () => {
  it.each([
    ["a path that's missing", "sqlite:", "url", "sqlite:path"],
    ["a path that's missing before parameters", "sqlite:?readonly=true", "url", "sqlite:path"],
    ["a host", "sqlite://localhost/app.db", "url", "without //"],
    ["a broken percent sign", "sqlite:100%.db", "url", "%25"],
    ["a name for a store in memory", "memory:cache", "url", "memory:"],
    ["an unknown parameter", "sqlite:app.db?mode=ro", "url?mode", "readonly, synchronous, busyTimeout, pollInterval"],
    ["an unknown parameter where there are none", "memory:?readonly=true", "url?readonly", "leave it out"],
    ["a parameter named like what every object has", "sqlite:app.db?constructor=1", "url?constructor", "readonly"],
    ["a parameter given twice", "sqlite:app.db?readonly=true&readonly=true", "url?readonly", "once"],
    ["a flag that's neither", "sqlite:app.db?readonly=1", "url?readonly", "true or false"],
    ["a flag without a value", "sqlite:app.db?readonly", "url?readonly", "true or false"],
    ["a word that isn't one of them", "sqlite:app.db?synchronous=full", "url?synchronous", "FULL, NORMAL, OFF"],
    ["a number that's none", "sqlite:app.db?busyTimeout=5s", "url?busyTimeout", "whole number"],
    ["a number out of range", "sqlite:app.db?busyTimeout=99999999999", "busyTimeout", "2147483647"],
    ["a reader of nothing", "sqlite:app.db?readonly=true", "path", "without readonly"],
    ["a directory that isn't there", "sqlite:no/app.db", "path", "create it"],
    ["a path with a NUL", "sqlite:a%00b.db", "path", "remove it"],
    ["a directory that isn't named", "file:", "url", "file:path"],
    ["a directory on a host", "file://host/data", "url", "file:///absolute/path"],
    ["a size of segments out of range", "file:data?segmentBytes=1", "segmentBytes", "1073741824"],
    ["a reader of no directory", "file:data?readonly=true", "path", "without readonly"],
    ["a directory within one that isn't there", "file:no/data", "path", "create it"]
  ])("%s", async (_, url, field, remedy) => {
    const error = await failure(url)
    expect(error).toBeInstanceOf(Invalid)
    expect(error).toMatchObject({ field })
    expect(String(error)).toContain(remedy)
    expect(readdirSync(directory)).toEqual([])
  })

  it.each([
    ["an unknown option", { scheme: {} }, "scheme"],
    ["an option that belongs into the URL", { readonly: true }, "readonly"],
    ["what is no object", 7, "options"],
    ["a negative count", { retries: -1 }, "retries"],
    ["a count that is text", { waitingCommits: "10" }, "waitingCommits"],
    ["a queue of none", { waitingCommits: 0 }, "waitingCommits"],
    ["a batch of none", { batchCommits: 0 }, "batchCommits"],
    ["a fraction", { atLeastWithin: 0.5 }, "atLeastWithin"]
  ])("%s", async (_, options, field) => {
    const error = await failure("memory:", options)
    expect(error).toBeInstanceOf(Invalid)
    expect(error).toMatchObject({ field })
  })

  it("a file that isn't a store, which stays as it was", async () => {
    writeFileSync("notes.txt", "not a store, and long enough to have a header".repeat(5))
    expect(await failure("sqlite:notes.txt")).toMatchObject({ _tag: "Invalid", field: "path" })
    expect(readFileSync("notes.txt", "utf8")).toMatch(/^not a store/)
    expect(await failure("sqlite:.")).toMatchObject({ _tag: "Invalid", field: "path" })
  })
})

describe("credentials", () => {
  const secret = "hunter2"

  it.each([
    `postgres://ada:${secret}@db/app`,
    `nosuch://${secret}`,
    `ada:${secret}@db`,
    secret,
    `sqlite://ada:${secret}@db/app.db`,
    `sqlite:app.db?busyTimeout=${secret}`,
    `memory:${secret}`,
    `memory:?token=${secret}`,
    `sqlite:%${secret}`
  ])("of %s are in no error", async (url) => {
    const error = await failure(url)
    expect(isStoreError(error)).toBe(true)
    expect(inspect(error, { depth: 9 }) + String(error) + JSON.stringify(error)).not.toContain(secret)
  })

  it("are not shown by the parts of a URL", async () => {
    const seen: Array<StoreUrl> = []
    const scheme: Scheme = (url) => {
      seen.push(url)
      return makeMemory()
    }
    await (await open(`vault://ada:${secret}@db/app?token=${secret}`, { schemes: { vault: scheme } })).close()
    const [url] = seen
    expect(url).toBeInstanceOf(StoreUrl)
    expect(url?.path).toBe(`//ada:${secret}@db/app`)
    expect(url?.params.get("token")).toBe(secret)
    expect(url?.href).toBe(`vault://ada:${secret}@db/app?token=${secret}`)
    expect(inspect(url, { depth: 9, showHidden: true }) + JSON.stringify(url)).not.toContain(secret)
  })
})

describe("schemes", () => {
  const scheme: Scheme = () => makeMemory({ limits: { nameBytes: 7 } })

  it("may be given for one call", async () => {
    await using store = await open("tiny:", { schemes: { tiny: scheme } })
    expect(store.about.limits.nameBytes).toBe(7)
    expect(await failure("tiny:")).toMatchObject({ _tag: "Invalid" })
    await using other = await open("memory:", { schemes: { memory: scheme } })
    expect(other.about.limits.nameBytes).toBe(7)
  })

  it("may be registered, each once", async () => {
    registerScheme("tiny+mem", scheme)
    await using store = await open("tiny+mem:anything")
    expect(store.about.limits.nameBytes).toBe(7)
    expect(() => registerScheme("tiny+mem", scheme)).toThrow(Invalid)
    expect(() => registerScheme("memory", scheme)).toThrow("registered already")
    expect(String(await failure("x:"))).toMatch(/memory:, sqlite:, .*tiny\+mem:/)
  })

  it.each(["", "Tiny", "1tiny", "ti ny", "tiny:"])("can't be named %j", (name) => {
    expect(() => registerScheme(name, scheme)).toThrow(Invalid)
  })
})
