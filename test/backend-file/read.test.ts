/** Reading: pages that look only so far, streams that are read one by one, and what opening reads of a large store. */
import { assert, describe, it } from "@effect/vitest"
import { type Disk, disk } from "@persist/backend-file/disk"
import { makeOn } from "@persist/backend-file/layer"
import { make as makeMemory } from "@persist/backend-memory"
import { append, commit, event, times } from "@persist/conformance/given"
import type { AllRange, BackendShape } from "@persist/core"
import { origin, Position, Seq, unbounded } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { breakLock, newPath } from "./place.ts"
import { unsynced } from "./power.ts"

const all: AllRange = {
  after: origin,
  to: Position(unbounded),
  prefix: "",
  types: undefined,
  limit: 1000,
  reverse: false
}

// Events of two types in streams that are interleaved, few of them with the prefix "rare".
const fill = (backend: BackendShape) =>
  backend.commit(times(600, (n) =>
    commit({
      append: [append(`often-${n % 7}`, `${n}`)].concat(
        n % 60 === 0
          ? [{ stream: `rare-${n % 120}`, events: [event(`${n}`, { type: n % 180 === 0 ? "Odd" : "T" })] }]
          : []
      ),
      truncate: n === 400 ? [{ stream: "rare-60", before: Seq(3) }] : []
    })))

describe("a read of all streams with a prefix", () => {
  it.effect("answers the same, whether the streams are few and small or not", () =>
    Effect.gen(function*() {
      const memory = yield* makeMemory()
      const backend = yield* makeOn(unsynced, { path: yield* newPath, segmentBytes: 4096 })
      yield* fill(memory)
      yield* fill(backend)
      for (const prefix of ["", "rare", "rare-6", "often-3", "none"]) {
        for (const reverse of [false, true]) {
          for (const types of [undefined, ["Odd"], ["T", "Odd"]]) {
            for (const limit of [1, 3, 100]) {
              for (const [after, to] of [[0, unbounded], [100, 500], [333, 334]] as const) {
                const range = { prefix, reverse, types, limit, after: Position(after), to: Position(to) }
                const page = yield* backend.readAll(range)
                assert.deepStrictEqual(page, yield* memory.readAll(range), JSON.stringify(range))
              }
            }
          }
        }
      }
    }))

  it.effect("looks only so far at once, and says how far", () =>
    Effect.gen(function*() {
      const backend = yield* makeOn(unsynced, { path: yield* newPath })
      const many = 9000
      for (let n = 0; n < 5; n++) {
        yield* backend.commit([commit({ append: [{ stream: `s${n}`, events: times(many, () => event("1")) }] })])
      }
      const sought = { ...all, types: ["never"] }
      const first = yield* backend.readAll(sought)
      assert.deepStrictEqual(first.items, [])
      assert.isAbove(first.through, 1000)
      assert.isBelow(first.through, 5 * many)
      const second = yield* backend.readAll({ ...sought, after: first.through })
      assert.isAbove(second.through, first.through)
      assert.strictEqual((yield* backend.readAll({ ...sought, after: second.through })).through, Position(5 * many))
    }))

  it.effect("looks only so far at once where events are large", () =>
    Effect.gen(function*() {
      const backend = yield* makeOn(unsynced, { path: yield* newPath })
      const large = "1".repeat(8 * 1024 * 1024)
      yield* backend.commit([commit({ append: [append("s", large, large, large)] })])
      const sought = { ...all, types: ["never"] }
      assert.strictEqual((yield* backend.readAll(sought)).through, Position(2))
      assert.strictEqual((yield* backend.readAll({ ...sought, after: Position(2) })).through, Position(3))
    }))

  it.effect("looks back as far as it must, and lets others have their turns meanwhile", () =>
    Effect.gen(function*() {
      const backend = yield* makeOn(unsynced, { path: yield* newPath })
      const odd = (data: string) => times(1, () => event(data, { type: "Odd" }))
      const often = times(25_000, () => event("1"))
      for (const events of [odd("1"), often, odd("2"), often, odd("3")]) {
        yield* backend.commit([commit({ append: [{ stream: "s", events }] })])
      }
      let turns = 0
      yield* Effect.forkChild(Effect.forever(Effect.andThen(Effect.sync(() => turns++), Effect.yieldNow)))
      const sought = { ...all, types: ["Odd"], reverse: true }
      const found = (limit: number) =>
        Effect.map(backend.readAll({ ...sought, limit }), ({ items, through }) => ({
          data: items.map(({ data }) => data),
          through: Number(through)
        }))
      assert.deepStrictEqual(yield* found(1), { data: ["3"], through: 50_003 })
      assert.strictEqual(turns, 0)
      assert.deepStrictEqual(yield* found(3), { data: ["3", "2", "1"], through: 1 })
      assert.isAbove(turns, 0)
      assert.deepStrictEqual(yield* found(2), { data: ["3", "2"], through: 25_002 })
      assert.deepStrictEqual(yield* found(4), { data: ["3", "2", "1"], through: 50_003 })
    }))
})

describe("opening", () => {
  // How many bytes a handle reads until it's open, of a store with so many sealed segments.
  const readFor = Effect.fnUntraced(function*(segments: number, readonly: boolean) {
    const path = yield* newPath
    const size = 64 * 1024
    yield* Effect.scoped(Effect.gen(function*() {
      const backend = yield* makeOn(unsynced, { path, segmentBytes: size })
      for (let n = 0; n <= segments * 8; n++) {
        yield* backend.commit([commit({ append: [append(`s${n % 10}`, "x".repeat(size / 8))] })])
      }
    }))
    let bytes = 0
    const counting: Disk = {
      ...unsynced,
      read: (fd, into, offset) => {
        const count = disk.read(fd, into, offset)
        bytes += count
        return count
      }
    }
    const head = yield* Effect.scoped(Effect.flatMap(makeOn(counting, { path, readonly }), (backend) => backend.head))
    return { bytes, head }
  })

  it.effect.each([false, true])("reads kilobytes of a large store, readonly %s", (readonly) =>
    Effect.gen(function*() {
      const [small, large] = [yield* readFor(4, readonly), yield* readFor(40, readonly)]
      assert.isAbove(large.head, 8 * small.head)
      // A page of the filter of each run, and all of it where merging has begun; 36 segments more have 2.3 MB.
      assert.isBelow(large.bytes - small.bytes, 36 * 10_000)
    }))

  it.effect("lets others have their turns while it reads what a killed writer has left", () =>
    Effect.gen(function*() {
      const turnsWith = Effect.fnUntraced(function*(commits: number) {
        const path = yield* newPath
        const writer = yield* makeOn(unsynced, { path })
        const events = times(100, () => event("1"))
        for (let n = 0; n < commits; n++) {
          yield* writer.commit([commit({ append: [{ stream: `s${n}`, events }] })])
        }
        breakLock(path)
        let turns = 0
        const counting = yield* Effect.forkChild(
          Effect.forever(Effect.andThen(Effect.sync(() => turns++), Effect.yieldNow))
        )
        const head = yield* Effect.scoped(Effect.flatMap(makeOn(unsynced, { path }), (backend) => {
          const opened = turns
          return Effect.map(backend.head, (at) => [opened, Number(at)] as const)
        }))
        yield* Fiber.interrupt(counting)
        return head
      })
      const [[few], [many, head]] = [yield* turnsWith(1), yield* turnsWith(300)]
      assert.strictEqual(head, 30_000)
      assert.isAbove(many, few)
    }))
})
