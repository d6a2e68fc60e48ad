/** A clock that stands still until a test moves it: for the process's own date, and for stores opened with Promises. */
import { guardPurity, Invalid, Projection } from "@persist/core"
import { defaultTime, fakeClock, given } from "@persist/testing"
import { mock } from "node:test"
import { open } from "persist"
import { describe, expect, it, vi } from "vitest"
import { failureOf } from "./failure.ts"
import { Orders, paid } from "./orders.ts"

describe("fakeClock", () => {
  it("is what the process says the time is, until the end of its block", () => {
    const real = Date.now()
    {
      using clock = fakeClock(1000)
      expect([Date.now(), new Date().getTime(), clock.now()]).toEqual([1000, 1000, 1000])
      expect(Date()).toBe(new Date(1000).toString())
      clock.advance(500)
      expect(Date.now()).toBe(1500)
      clock.advance(-1)
      expect(new Date().toISOString()).toBe("1970-01-01T00:00:01.499Z")
      clock.set(new Date(7))
      expect(Date.now()).toBe(7)
      expect(new Date()).toBeInstanceOf(Date)
      expect([new Date(2020, 1).getFullYear(), Date.UTC(2020), Date.parse("2020-01-01")]).toEqual([
        2020,
        1577836800000,
        1577836800000
      ])
    }
    expect(Date.now()).toBeGreaterThanOrEqual(real)
    expect(new Date().getTime()).toBeGreaterThanOrEqual(real)
    expect(Date.name).toBe("Date")
    using _ = fakeClock()
    expect(Date.now()).toBe(defaultTime)
  })

  it("is what a store's events, keys and snapshots are dated by", async () => {
    using clock = fakeClock(new Date("2026-03-03T10:00:00Z"))
    const start = clock.now()
    await using store = await open("memory:")
    await store.log().append("s", { type: "A", data: 1 }, { expected: 0 })
    clock.advance(60_000)
    await store.log().append("s", { type: "A", data: 2 }, { expected: 1 })
    await store.kv("n").put("a", 1)
    const count = Projection.make({ name: "count", version: 1, seed: 0, step: (n: number) => n + 1 })
    const snapshot = await store.saveSnapshot(count, { stream: "s" })
    expect((await store.log().read("s").toArray()).map(({ at }) => at - start)).toEqual([0, 60_000])
    expect((await store.kv("n").entry("a"))?.at).toBe(start + 60_000)
    expect(snapshot?.savedAt).toBe(start + 60_000)
    expect((await store.project(count, { stream: "s", asOf: { at: start + 1 } })).state).toBe(1)
  })

  it.each([
    ["vitest", (now: number) => vi.useFakeTimers({ toFake: ["Date"], now }), () => vi.useRealTimers()],
    ["Node", (now: number) => mock.timers.enable({ apis: ["Date"], now }), () => mock.timers.reset()]
  ])("is no more than the fake dates of %s, which a store goes by too", async (_, start, stop) => {
    start(1000)
    try {
      await using store = await open("memory:")
      await store.kv("n").put("a", 1)
      expect((await store.kv("n").entry("a"))?.at).toBe(1000)
    } finally {
      stop()
    }
  })

  it("leaves timers alone, so that what waits goes on", async () => {
    using _ = fakeClock()
    await using store = await open("memory:", { atLeastWithin: 1 })
    const late = await store.kv("n").get("a", { atLeast: 5 }).catch((error: unknown) => error)
    expect(late).toMatchObject({ _tag: "Unavailable" })
  })

  it("doesn't hide a step that asks for the time", () => {
    using _ = fakeClock()
    for (const step of [() => Date.now(), () => new Date().getTime()]) {
      const late = guardPurity(Projection.make({ name: "late", version: 1, seed: 0, step }))
      expect(failureOf(() => given(Orders, paid).project(late)).message).toMatch(/its step used (Date.now|new Date)/)
    }
    expect(Date.now()).toBe(defaultTime)
  })

  it("is one for the process, and has a time", () => {
    {
      using _ = fakeClock()
      expect(failureOf(() => fakeClock())).toBeInstanceOf(Invalid)
      expect(Date.now()).toBe(defaultTime)
    }
    for (const wrong of [NaN, 0.5, new Date("no")]) expect(failureOf(() => fakeClock(wrong))).toBeInstanceOf(Invalid)
    using clock = fakeClock(3)
    expect(failureOf(() => clock.advance(0.5))).toBeInstanceOf(Invalid)
    expect(failureOf(() => clock.set(Infinity))).toBeInstanceOf(Invalid)
    expect(Date.now()).toBe(3)
  })
})
