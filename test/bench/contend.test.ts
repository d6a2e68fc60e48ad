/** How the bench has writers contend, and tells whether one of them starves. */
import { expect, test } from "vitest"
import { afterLastSeq, contending, fewest } from "../../bench/sides/contend.ts"

test("every writer tries until the time is over, and its wins are counted", async () => {
  const tries = new Map<number, number>()
  let made = 0
  const contend = contending(() => {
    const writer = made++
    return async () => {
      await new Promise(setImmediate)
      tries.set(writer, (tries.get(writer) ?? 0) + 1)
      return writer === 0
    }
  })
  const wins = await contend(3, 250, "stream")
  expect(tries.size).toBe(3)
  expect(wins).toEqual([tries.get(0), 0, 0])
  expect(await contend(2, 0, "stream")).toEqual([0, 0])
})

test("a writer reads the last seq before a command, and goes on from a conflict without reading it again", async () => {
  const said: Array<string> = []
  let last = 3
  const attempt = afterLastSeq(
    (stream) => {
      said.push(`read ${stream}`)
      return last
    },
    async (stream, expected) => {
      said.push(`append to ${stream} after ${expected}`)
      if (expected !== last) return last
      last++
      return undefined
    }
  )("s")
  expect(await attempt()).toBe(true)
  const second = attempt()
  last = 7
  expect(await second).toBe(false)
  expect(await attempt()).toBe(true)
  expect(said).toEqual(["read s", "append to s after 3", "read s", "append to s after 4", "append to s after 7"])
})

test("the writer with the fewest wins is told as a part of a fair share", () => {
  expect(fewest([5, 5, 5, 5])).toBe(1)
  expect(fewest([10, 6, 3, 1])).toBe(0.2)
  expect(fewest([20, 0])).toBe(0)
  expect(fewest([0, 0])).toBe(0)
})
