/** Histories of clients at once: right ones are told from wrong ones, and a right store makes only right ones. */
import { certify, type Fault, isLinearizable, linearize, protocolMutants, race, register } from "@persist/conformance"
import type { Call, Fixture, HistoryLoad, Op, Reply } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { describe, expect, it } from "vitest"
import { smallSegments } from "../backend-file/fixture.ts"
import { file } from "../backend-sqlite/fixture.ts"
import { kept, memory } from "./stores.ts"

const append = (expected: number, value: string): Op => ({ _tag: "Append", expected, value })
const read: Op = { _tag: "ReadStream" }

const call = (op: Op, result: Reply | undefined, began: number, ended: number): Call<Op, Reply> => ({
  op,
  result,
  began,
  ended
})

const mutantOf = (name: string, fixture: Fixture): Fixture => {
  const found = protocolMutants.find((mutant) => mutant.name === name)
  if (found === undefined) throw new Error(`there is no mutant ${name}`)
  return found.plant(fixture)
}

describe("a history of calls", () => {
  const right: Record<string, ReadonlyArray<Call<Op, Reply>>> = {
    "one after the other": [call(append(0, "a"), true, 1, 2), call(read, ["a"], 3, 4)],
    "a read during a write that sees it": [call(append(0, "a"), true, 1, 4), call(read, ["a"], 2, 3)],
    "a read during a write that doesn't": [call(append(0, "a"), true, 1, 4), call(read, [], 2, 3)],
    "one of two wins": [call(append(0, "a"), false, 1, 4), call(append(0, "b"), true, 2, 3), call(read, ["b"], 5, 6)],
    "an unknown write that happened late": [
      call(append(0, "a"), undefined, 1, Infinity),
      call(read, [], 2, 3),
      call(read, ["a"], 4, 5)
    ],
    "an unknown write that never happened": [
      call(append(0, "a"), undefined, 1, Infinity),
      call(append(0, "b"), true, 2, 3),
      call(read, ["b"], 4, 5)
    ]
  }
  for (const [name, calls] of Object.entries(right)) {
    it(`has an order: ${name}`, () => expect(linearize(calls, register)).toBeDefined())
  }

  const wrong: Record<string, ReadonlyArray<Call<Op, Reply>>> = {
    "a read that misses what was acknowledged": [call(append(0, "a"), true, 1, 2), call(read, [], 3, 4)],
    "two winners": [call(append(0, "a"), true, 1, 4), call(append(0, "b"), true, 2, 3)],
    "a loser who left a trace": [call(append(1, "a"), false, 1, 2), call(read, ["a"], 3, 4)],
    "a write that comes and goes": [
      call(append(0, "a"), undefined, 1, Infinity),
      call(read, ["a"], 2, 3),
      call(read, [], 4, 5)
    ],
    "a write seen before it began": [call(read, ["a"], 1, 2), call(append(0, "a"), true, 3, 4)]
  }
  for (const [name, calls] of Object.entries(wrong)) {
    it(`has none: ${name}`, () => expect(linearize(calls, register)).toBeUndefined())
  }
})

// Every third verb goes wrong, before and after by turns.
const everyThird = (): () => Fault => {
  let count = 0
  return () => ++count % 3 > 0 ? "none" : count % 2 > 0 ? "before" : "after"
}

describe("clients at once, some of whose replies are lost", () => {
  const load = (fault?: () => Fault): HistoryLoad => ({ clients: 4, rounds: 5, ...fault && { fault } })

  for (const fixture of [memory, kept, file, smallSegments]) {
    it(`make a history of ${fixture.name} that has an order`, async () => {
      const calls = await Effect.runPromise(isLinearizable(fixture, load(everyThird())))
      expect(calls.filter(({ result }) => result === undefined).length).toBeGreaterThan(0)
      expect(calls.filter(({ result }) => result === true).length).toBeGreaterThan(0)
      expect(calls.filter(({ result }) => result === false).length).toBeGreaterThan(0)
    })
  }

  for (const name of ["check, then act", "one behind is fine", "older revisions are fine", "one read behind"]) {
    it(`find out a store that is wrong: ${name}`, async () => {
      const reason = await Effect.runPromise(Effect.flip(isLinearizable(mutantOf(name, kept), load())))
      expect(String(reason)).toContain("no order of these calls")
    })
  }
})

describe("a workload that certifies itself", () => {
  const load = { writers: 6, rounds: 20, streams: 3 }
  const certified = (fixture: Fixture) =>
    Effect.scoped(Effect.gen(function*() {
      const place = yield* fixture.place
      const backend = yield* place.open
      const raced = yield* race({ ...place, open: Effect.succeed(backend) }, load)
      return { ...raced, events: yield* certify(backend) }
    }))

  for (const fixture of [memory, kept, file, smallSegments]) {
    it(`holds on ${fixture.name}`, async () => {
      const { committed, conflicted, events } = await Effect.runPromise(certified(fixture))
      expect(events).toBe(committed)
      expect(committed + conflicted).toBe(load.writers * load.rounds)
      expect(committed).toBeGreaterThan(0)
      expect(conflicted).toBeGreaterThan(0)
    })
  }

  for (const name of ["check, then act", "one expectation", "older revisions are fine"]) {
    it(`finds out a store that is wrong: ${name}`, async () => {
      const reason = await Effect.runPromise(Effect.flip(certified(mutantOf(name, kept))))
      expect(String(reason)).toMatch(/expected (seq|revision)|has seq|key isn't/)
    })
  }
})
