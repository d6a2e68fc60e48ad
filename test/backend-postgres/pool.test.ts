/** What whoever has waited for a connection in vain is told: why there was none. */
import { Link } from "@persist/backend-postgres/link"
import { Pool } from "@persist/backend-postgres/pool"
import { afterEach, beforeEach, expect, it, vi } from "vitest"

const patience = 1000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

// As much of a connection as a pool looks at.
const link = (): Link => Object.create(Link.prototype, { broken: { value: false } })

/** A pool of one connection, each that it wants to be answered here. */
const setting = () => {
  const wanted: Array<PromiseWithResolvers<Link>> = []
  const pool = new Pool(
    () => {
      const one = Promise.withResolvers<Link>()
      wanted.push(one)
      return one.promise
    },
    1,
    patience
  )
  const use = (job: () => Promise<void> = () => Promise.resolve()) => pool.use("read", job).then(() => "done", String)
  return { use, wanted }
}

it("a refusal, where there has been none since", async () => {
  const { use, wanted } = setting()
  const [first, second, third] = [use(), use(), use()]
  await vi.advanceTimersByTimeAsync(patience / 2)
  wanted[0]?.reject("refused")
  await vi.advanceTimersByTimeAsync(patience)
  // The second too, for which another is still being made.
  expect(await Promise.all([first, second, third])).toEqual(["refused", "refused", "refused"])
})

it("that all are busy, though one was refused before there were", async () => {
  const { use, wanted } = setting()
  const [first, second, third] = [use(), use(() => new Promise(() => {})), use()]
  wanted[0]?.reject("refused")
  await vi.advanceTimersByTimeAsync(1)
  wanted[1]?.resolve(link())
  await vi.advanceTimersByTimeAsync(patience)
  expect(await first).toBe("refused")
  expect(await third).toContain("all 1 connections were busy for 1000 ms")
  void second
})

it("that none could be made, where nobody has said why since they began to wait", async () => {
  const { use, wanted } = setting()
  const first = use()
  wanted[0]?.reject("refused")
  expect(await first).toBe("refused")
  await vi.advanceTimersByTimeAsync(1)
  const [, waits] = [use(), use()]
  await vi.advanceTimersByTimeAsync(patience)
  expect(await waits).toContain("no connection could be made within 1000 ms")
})

it("that all are busy, where the last was lost only lately", async () => {
  const { use, wanted } = setting()
  let lost = false
  const lasting = Promise.withResolvers<void>()
  const holder = use(() => lasting.promise)
  wanted[0]?.resolve(Object.create(Link.prototype, { broken: { get: () => lost } }))
  await vi.advanceTimersByTimeAsync(1)
  const [, waits] = [use(), use()]
  await vi.advanceTimersByTimeAsync(patience * 0.6)
  lost = true
  lasting.resolve()
  await vi.advanceTimersByTimeAsync(patience * 0.4)
  expect(await holder).toBe("done")
  expect(await waits).toContain("all 1 connections were busy for 1000 ms")
})
