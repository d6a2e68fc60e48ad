/** Compaction takes from nobody: projections, subscriptions and read models that are behind lose nothing. */
import { anyEvents } from "@persist/core"
import * as fc from "fast-check"
import { open, Projection, SnapshotPolicy, type Store } from "persist"
import { describe, expect, test } from "vitest"

const stream = { stream: "orders" } as const
const never = { snapshots: SnapshotPolicy.never } as const
const added = (n: number) => ({ type: "Added", data: n })

const sum = Projection.make({
  name: "sum",
  version: 1,
  seed: 0,
  step: (total: number, event) => total + Number(event.data)
})

const last = Projection.make({
  name: "last",
  version: 1,
  seed: { seq: 0, data: 0 },
  step: (_, event) => ({ seq: Number(event.seq), data: Number(event.data) })
})

const filled = async (numbers: ReadonlyArray<number>): Promise<Store> => {
  const store = await open("memory:")
  await store.log().append("orders", numbers.map(added), { expected: 0 })
  return store
}

const numbers = [3, 1, 4, 1, 5, 9, 2, 6]

describe("compaction", () => {
  test("happens to nobody who doesn't ask for it", async () => {
    await using store = await filled(numbers)
    for (const every of [1, 3]) await store.load(sum, { ...stream, snapshots: SnapshotPolicy.every(every) })
    await store.saveSnapshot(sum, stream)
    expect(await store.log().info("orders")).toEqual({ stream: "orders", first: 1, last: 8 })
  })

  test("leaves the projection's answer as it was, at every length and again and again", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
        async (parts) => {
          await using store = await open("memory:")
          let total = 0
          for (const part of parts) {
            await store.log().append("orders", part.map(added), { expected: "any" })
            total += part.reduce((a, b) => a + b, 0)
            const compacted = await store.compact({ projection: sum, stream: "orders" })
            expect(compacted.first).toBe(await store.log().lastSeq("orders"))
            for (const _ of ["once", "twice"]) {
              expect((await store.load(sum, { ...stream, ...never })).state).toBe(
                total
              )
            }
          }
        }
      ),
      { numRuns: 40 }
    ))

  test("stops where another registered projection has come to, whose answer stays that of a full replay", async () => {
    await using store = await filled(numbers)
    const before = await store.project(last, stream)
    await store.registerProjection(last, stream)
    expect(await store.compact({ projection: sum, stream: "orders" }))
      .toMatchObject({ removed: 0, first: 1, boundedBy: { _tag: "Reader" } })
    expect(await store.project(last, stream)).toEqual(before)
    await store.saveSnapshot(last, stream)
    expect(await store.compact({ projection: sum, stream: "orders" })).toMatchObject({ removed: 7, first: 8 })
    expect((await store.load(last, stream)).state).toEqual(before.state)
    expect((await store.load(sum, stream)).state).toBe(31)
  })

  test("takes nothing from a subscription that is behind", async () => {
    await using store = await filled(numbers)
    const handled: Array<unknown> = []
    const halfway = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    const handle = (event: { readonly data: unknown }) => {
      handled.push(event.data)
      if (handled.length === 3) halfway.resolve()
      return handled.length === 3 ? goOn.promise : undefined
    }
    const run = store.runSubscription({ name: "mailer", events: anyEvents, batch: 1, handle })
    await halfway.promise
    const compacted = await store.compact({ projection: sum, stream: "orders" })
    expect(compacted.first).toBeLessThanOrEqual(3)
    expect(compacted.boundedBy).toMatchObject({ _tag: "Reader", name: "mailer" })
    goOn.resolve()
    await run.stop()
    const all = Promise.withResolvers<void>()
    const rest = store.runSubscription({
      name: "mailer",
      events: anyEvents,
      handle: (event) => {
        handled.push(event.data)
        if (event.seq === numbers.length) all.resolve()
      }
    })
    if (handled.length < numbers.length) await all.promise
    await rest.stop()
    expect(handled).toEqual(numbers)
  })

  test("what can't be answered any more is refused, and not guessed", async () => {
    await using store = await filled(numbers)
    await store.compact({ projection: sum, stream: "orders" })
    await expect(store.project(last, stream)).rejects.toMatchObject({ _tag: "Invalid" })
    await expect(store.load(sum, { ...stream, asOf: { seq: 2 } })).rejects.toMatchObject({ _tag: "Invalid" })
  })
})

describe("a snapshot", () => {
  test("leaves no more to fold than came after it", async () => {
    await using store = await filled(numbers)
    await store.saveSnapshot(sum, stream)
    expect(await store.load(sum, { ...stream, ...never })).toMatchObject({ state: 31, replayed: 0, from: { seq: 8 } })
    await store.log().append("orders", [added(5), added(3)], { expected: 8 })
    expect(await store.load(sum, { ...stream, ...never })).toMatchObject({ state: 39, replayed: 2, from: { seq: 8 } })
  })
})
