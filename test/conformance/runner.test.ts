/** The runner and the scoreboard: whatever goes wrong is a verdict with a reason, and the figures add up. */
import { ask, type Fixture, fromOpen, json, type Law, lawOf, run, suite, table } from "@persist/conformance"
import { broken } from "@persist/conformance/assertion"
import { Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { kept, memory } from "./stores.ts"
import { inTurns } from "./turns.ts"

const law = lawOf("examples")
const holds = law("this law holds", [], function*(backend) {
  yield* backend.head
})
const breaks = law("this law is broken", [], function*() {
  yield* broken("of course")
})
const dies = law("this law dies", [], function*() {
  yield* Effect.die(new TypeError("by accident"))
})
const hangs = law("this law never ends", [], function*() {
  yield* Effect.never
})
const durable = law("this law needs a disk", ["durable"], function*(backend) {
  yield* backend.head
})

const verdict = (fixture: Fixture, asked: Law) => Effect.runPromise(inTurns(ask(fixture, asked, 50)))
const down = new Unavailable({ operation: "open", reason: "it is down", remedy: "start it" })
const closed = fromOpen("closed", Effect.fail(down))

describe("a verdict", () => {
  it("is that the law holds", async () => expect(await verdict(memory, holds)).toEqual({ _tag: "Passed" }))

  it("is that the store rightly declines", async () =>
    expect(await verdict(memory, durable)).toEqual({ _tag: "Declined", needs: ["durable"] }))

  it("is the reason of a law that is broken", async () =>
    expect(await verdict(memory, breaks)).toEqual({ _tag: "Failed", reason: "of course" }))

  it("is the defect of a law that dies", async () => {
    const { reason } = await verdict(memory, dies) as { readonly reason: string }
    expect(reason).toContain("died: TypeError: by accident")
  })

  it("is that a law never ends", async () =>
    expect(await verdict(memory, hangs)).toEqual({ _tag: "Failed", reason: "did not finish within 50 ms" }))

  it("is that the store doesn't open", async () =>
    expect(await verdict(closed, holds)).toEqual({ _tag: "Failed", reason: "open: it is down; start it" }))
})

describe("a report", () => {
  const all = [holds, breaks, durable]
  const ran = (fixture: Fixture) => Effect.runPromise(run(fixture, all))

  it("counts what holds and what is rightly declined, and tells each law once", async () => {
    const told: Array<string> = []
    const { about, backend, laws, passed, total } = await Effect.runPromise(
      run(memory, all, { onAnswer: ({ name }, done) => told.push(`${done} ${name}`) })
    )
    expect([backend, about?.durability, passed, total]).toEqual(["memory", "memory", 2, 3])
    expect(laws.map(({ name }) => name)).toEqual(all.map(({ name }) => name))
    expect(told.map((each) => each.slice(0, 1))).toEqual(["1", "2", "3"])
  })

  it("is a line of the table, with the broken laws and their reasons below", async () => {
    expect(table([await ran(memory), await ran(kept), await ran(closed)])).toBe([
      "store   durability  shared  lacks    held  declined  failed  passed",
      "memory  memory      no      nothing  1     1         1       2/3",
      "kept    disk        yes     nothing  2     0         1       2/3",
      "closed  not opened                   0     0         3       0/3",
      "",
      "memory breaks \"this law is broken\" (examples)",
      "  of course",
      "",
      "kept breaks \"this law is broken\" (examples)",
      "  of course",
      "",
      "closed breaks \"this law holds\" (examples)",
      "  open: it is down; start it",
      "",
      "closed breaks \"this law is broken\" (examples)",
      "  open: it is down; start it",
      "",
      "closed breaks \"this law needs a disk\" (examples)",
      "  open: it is down; start it"
    ].join("\n"))
  })

  it("is JSON with all that it says", async () => {
    const [report] = JSON.parse(json([await ran(memory)])) as ReadonlyArray<Record<string, unknown>>
    expect(report).toMatchObject({ backend: "memory", passed: 2, total: 3, about: { shared: false, lacks: [] } })
    expect(report?.["laws"]).toHaveLength(3)
  })
})

it("a suite is one test for each law, which fails with the reason", async () => {
  const tests = new Map<string, () => Promise<void>>()
  const describeAll: Array<string> = []
  suite(
    {
      describe: (name, body) => {
        describeAll.push(name)
        body()
      },
      it: (name, body) => tests.set(name, body)
    },
    memory,
    [holds, breaks]
  )
  expect(describeAll).toEqual(["memory: examples"])
  await expect(tests.get("this law holds")?.()).resolves.toBeUndefined()
  await expect(tests.get("this law is broken")?.()).rejects.toThrow("of course")
})
