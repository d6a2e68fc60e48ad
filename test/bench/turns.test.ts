/** Sides that take turns: what is made of one of them that fails in the middle of its rounds, and of those left out. */
import { afterAll, beforeAll, expect, test } from "vitest"
import { standings } from "../../bench/goals.ts"
import { type Child, type Limits, startChild } from "../../bench/harness/child.ts"
import { makePlaces, type Places } from "../../bench/harness/place.ts"
import { hasFailed, oursFailed, type Row } from "../../bench/harness/row.ts"
import { runWorkload } from "../../bench/harness/run.ts"
import { merged, type Results } from "../../bench/report/results.ts"
import { throughPromises } from "../../bench/sides/persist.ts"
import { workloads } from "../../bench/workloads/workloads.ts"

let places: Places

beforeAll(() => {
  places = makePlaces()
})
afterAll(() => places.remove())

const limits = { prepare: 60_000, round: 60_000 }

/** One append after another in memory, in short rounds; the side that is named fails in its second. */
const run = async (failing: string | undefined, within: Limits = limits, millis = 5): Promise<ReadonlyArray<Row>> => {
  const append = workloads.find(({ name }) => name === "append-1")
  if (append === undefined) throw new Error("there is no append-1")
  const sizes = { log: 1, large: 1, keys: 1, open: 1, round: millis }
  const plan = { rounds: 3, commit: "1234567", sizes, within, peers: false, say: () => undefined }
  return await runWorkload("memory", append, places, plan, async (assignment, ...rest) => {
    const child = await startChild(assignment, ...rest)
    return "is" in child || assignment.side !== failing ? child : failingInSecond(child)
  })
}

const failingInSecond = (child: Child): Child => {
  let rounds = 0
  return {
    ...child,
    round: () => ++rounds === 2 ? Promise.reject(new Error("no answer within 60 s")) : child.round()
  }
}

const resultsOf = (rows: ReadonlyArray<Row>): Results => ({
  machines: [{ cpu: "", cores: 1, memoryGiB: 1, system: "", node: "", sqlite: "", fileSystem: "ext4" }],
  quick: false,
  rows
})

test("where ours fails in its second round nothing is met, and what was kept stays", { timeout: 120_000 }, async () => {
  const [good, failed] = [await run(undefined), await run(throughPromises)]
  const told = (rows: ReadonlyArray<Row>) =>
    standings(rows).filter(({ goal }) => goal.store === "memory" && goal.workload === "append-1")
  expect(told(good).map(({ state }) => state)).toEqual([expect.stringMatching(/met|noise/), expect.any(String)])
  expect(told(failed).map(({ state }) => state)).toEqual(["failed", "failed"])
  expect(failed.map(oursFailed)).toEqual([true, true])
  expect(failed[0]?.sides[0]?.absent).toEqual({ is: "failed", why: "no answer within 60 s" })
  // The others went on, but there is nothing to hold them against.
  const others = failed[0]?.sides.filter(({ kind, side }) => side !== throughPromises && kind !== "peer")
  expect(others?.map(({ ratio, value }) => [value === undefined, ratio])).toEqual([[false, undefined], [
    false,
    undefined
  ]])
  expect(merged(resultsOf(good), resultsOf(failed)).rows).toEqual(good)
})

test("a round has a limit of its own, and what goes beyond it has failed", { timeout: 120_000 }, async () => {
  // So long that none has answered by then, however late this process looks.
  const [row] = await run(undefined, { ...limits, round: 0 }, 1000)
  const asked = row?.sides.filter(({ kind }) => kind !== "peer").map(({ absent }) => absent)
  expect(asked).toEqual(Array.from({ length: 3 }, () => ({ is: "failed", why: "no answer within 0 s" })))
})

test("what fails by hand is no limit, and peers that nobody asked stay in the row", { timeout: 120_000 }, async () => {
  const rows = await run("Map and arrays by hand")
  const [row] = rows
  expect(row?.sides.filter(hasFailed).map(({ kind }) => kind)).toEqual(["raw"])
  expect(row?.sides.filter(({ kind }) => kind === "peer").map(({ absent, side }) => [side, absent?.is])).toEqual([
    ["Emmett", "left out"],
    ["Castore", "left out"],
    ["Act", "left out"]
  ])
  const byHand = standings(rows).find(({ goal }) => goal.store === "memory" && goal.workload === "append-1")
  expect(byHand).toMatchObject({ found: "–", state: "not measured" })
})
