/** One store beneath a whole application: what it is, and what it leaves to others. */
import { make } from "@persist/backend-memory"
import * as core from "@persist/core"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { open, Projection, ReadModel, Schema, type Store } from "persist"
import { describe, expect, test } from "vitest"

const inDirectory = async (body: (directory: string) => Promise<void>): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "persist-requirements-"))
  await body(directory).finally(() => rmSync(directory, { recursive: true }))
}

const posted = (text: string) => ({ type: "Posted", data: { text } })

/** Everything there is to read, except which store it's in. */
const contentOf = async (store: Store) => ({
  events: await store.log().readAll().toArray(),
  keys: await store.kv("profiles").scan().toArray(),
  changes: await store.kv("profiles").changedSince({ after: 0 }).toArray(),
  head: await store.head()
})

describe("one store for a whole application", () => {
  test("two subsystems share it, and both find what was theirs after a restart", () =>
    inDirectory(async (directory) => {
      const url = `sqlite:${join(directory, "app.db")}`
      const before = await open(url)
      await before.log().append("feed/ada", [posted("one"), posted("two")], { expected: 0 })
      await before.kv("sessions").put("s1", { user: "ada" })
      await before.commit([
        before.log().ops.append("feed/ada", posted("three"), { expected: 2 }),
        before.kv("sessions").ops.put("s2", { user: "bob" })
      ])
      await before.close()
      await using after = await open(url)
      expect((await after.log().read("feed/ada").toArray()).map(({ data }) => data))
        .toEqual([{ text: "one" }, { text: "two" }, { text: "three" }])
      expect(await after.kv("sessions").getMany(["s1", "s2"])).toMatchObject([
        { value: { user: "ada" } },
        { value: { user: "bob" } }
      ])
    }))

  test("an application of keys alone has no stream", async () => {
    await using store = await open("memory:")
    const profiles = store.kv("profiles")
    for (let n = 0; n < 20; n++) await profiles.put(`user ${n}`, { n })
    await profiles.delete("user 3")
    expect(await profiles.count()).toBe(19)
    expect(await store.log().streams().toArray()).toEqual([])
    expect(await store.log().readAll().toArray()).toEqual([])
  })

  test("of two writers who expect the same seq exactly one wins, a thousand times", async () => {
    await using store = await open("memory:")
    const log = store.log()
    const wins = { first: 0, second: 0 }
    for (let seq = 0; seq < 1000; seq++) {
      const outcomes = await Promise.all([
        log.append("race", posted("first"), { expected: seq }),
        log.append("race", posted("second"), { expected: seq })
      ])
      expect(outcomes.map(({ _tag }) => _tag).sort()).toEqual(["Committed", "Conflict"])
      expect(outcomes.find(({ _tag }) => _tag === "Conflict")).toMatchObject({ actual: seq + 1 })
      wins[outcomes[0]._tag === "Committed" ? "first" : "second"]++
    }
    expect(wins.first + wins.second).toBe(1000)
    expect(await log.lastSeq("race")).toBe(1000)
  })

  test("what crosses the boundary is data: the same commits, sent elsewhere, make the same store", async () => {
    const backend = await Effect.runPromise(make())
    const sent: Array<string> = []
    const recording: core.BackendShape = {
      ...backend,
      commit: (batch) => Effect.suspend(() => (sent.push(JSON.stringify(batch)), backend.commit(batch)))
    }
    await using store = await open(Effect.succeed(recording))
    await store.log().append("feed", [posted("one"), posted("two")], { expected: 0 })
    await store.kv("profiles").putMany([["ada", { age: 36 }], ["bob", null]])
    await store.kv("profiles").delete("bob")
    await store.log().truncate("feed", 2)
    expect(sent.length).toBe(4)
    const other = await Effect.runPromise(make())
    // What JSON made of a commit is a commit, since its payloads are text.
    for (const batch of sent) await Effect.runPromise(other.commit(JSON.parse(batch) as [core.Commit]))
    await using copy = await open(Effect.succeed(other))
    expect(await contentOf(copy)).toEqual(await contentOf(store))
  })

  test("the verbs of the first design are there: append, read, project, get and put, subscribe", async () => {
    await using store = await open("memory:")
    const log: object = store.log()
    const kv: object = store.kv("n")
    expect(log).toMatchObject({ append: expect.any(Function), read: expect.any(Function) })
    expect(kv).toMatchObject({ get: expect.any(Function), put: expect.any(Function), delete: expect.any(Function) })
    expect(store).toMatchObject({ project: expect.any(Function), subscribe: expect.any(Function) })
  })

  test("core offers neither a cache nor a query language, and keeps no blobs", () => {
    const names = Object.keys(core)
    expect(names.length).toBeGreaterThan(40)
    // A query is filters and an order over a read model's fields, as data: there is nothing to parse.
    expect(names.filter((name) => /cache|query|sql|where|join|blob/i.test(name))).toEqual(["query"])
  })
})

const totals = ReadModel.make({
  name: "totals",
  version: 1,
  events: core.anyEvents,
  keys: (event) => event.stream,
  seed: 0,
  step: (sum) => sum + 1,
  value: Schema.Int
})

const count = Projection.make({ name: "count", version: 1, seed: 0, step: (n: number) => n + 1 })

describe("a read model", () => {
  test("folds each event once, however often it catches up", async () => {
    await using store = await open("memory:")
    let folded = 0
    for (let n = 1; n <= 50; n++) {
      await store.log().append("s", posted("x"), { expected: "any" })
      const done = await store.catchUp(totals)
      if (done._tag === "CaughtUp") folded += done.events
      expect(await store.kv(totals).get("s")).toBe(n)
    }
    expect(folded).toBe(50)
  })

  test("equals the projection of its stream after every append", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 12 }), async (streams) => {
        await using store = await open("memory:")
        for (const stream of streams) {
          await store.log().append(stream, posted("x"), { expected: "any" })
          await store.catchUp(totals)
          expect(await store.kv(totals).get(stream)).toBe((await store.project(count, { stream })).state)
        }
      }),
      { numRuns: 25 }
    ))
})
