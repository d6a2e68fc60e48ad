/** Retention through the Promise interface: the plan, the archive and what it throws. */
import { Invalid, open } from "persist"
import { expect, test } from "vitest"

const rule = { prefix: "", maxCount: 1 }

const filled = async () => {
  const store = await open("memory:")
  for (const n of [1, 2, 3]) await store.log().append("a", { type: "T", data: n }, { expected: "any" })
  return store
}

test("what is planned is done, after the archive has it", async () => {
  await using store = await filled()
  const [cut, ...more] = await store.planRetention(rule).toArray()
  expect([cut, more]).toMatchObject([{ stream: "a", removed: 2, held: 0, first: 3, boundedBy: { _tag: "Rule" } }, []])
  const kept: Array<readonly [string, unknown]> = []
  const archive = {
    keep: async (step: string, events: AsyncIterable<{ readonly data: unknown }>) => {
      for await (const { data } of events) kept.push([step, data])
    },
    discard: () => Promise.resolve()
  }
  expect(await store.retain({ ...rule, archive })).toEqual({ streams: 1, events: 2, held: 0 })
  expect(kept.map(([, data]) => data)).toEqual([1, 2])
  expect(await store.log().read("a").toArray()).toMatchObject([{ seq: 3 }])
})

test("what the archive throws stops it, and nothing is removed", async () => {
  await using store = await filled()
  const full = new Error("full")
  for (
    const keep of [() => Promise.reject(full), () => {
      throw full
    }]
  ) {
    await expect(store.retain({ ...rule, archive: { keep, discard: () => Promise.resolve() } })).rejects.toBe(full)
  }
  expect(await store.log().read("a").toArray()).toHaveLength(3)
  const reason = new Error("enough")
  await expect(store.retain({ ...rule, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

test("bad options are refused by their name", async () => {
  await using store = await filled()
  const wrong: ReadonlyArray<readonly [unknown, string]> = [
    [undefined, "prefix"],
    [null, "options"],
    [{ prefix: "" }, "rule"],
    [{ ...rule, archive: {} }, "archive"],
    [{ ...rule, archives: {} }, "archives"]
  ]
  for (const [options, field] of wrong) {
    // What a caller without types may pass.
    const fault: unknown = await store.retain(options as typeof rule).catch((error) => error)
    expect(fault instanceof Invalid && fault.field).toBe(field)
  }
})
