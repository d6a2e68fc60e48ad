/** Pages that were read of late: given to whom they hold what is asked for, and to nobody else. */
import { assert, describe, it } from "@effect/vitest"
import { type Page, Position, type ReaderFilter } from "@persist/core"
import { RecentPages } from "@persist/runner/recent-pages"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"

interface Placed {
  readonly position: Position
}

const all: ReaderFilter = { prefix: "", types: undefined }

const pageOf = (through: number, ...positions: ReadonlyArray<number>): Page<Placed> => ({
  items: positions.map((position) => ({ position: Position(position) })),
  through: Position(through)
})

const places = ({ items, through }: Page<Placed>) => [...items.map(({ position }) => position), `to ${through}`]

/** Recent pages and what is asked of them, with how often somebody had to read. */
const asking = (isKept = () => true) => {
  const recent = new RecentPages<Placed>(isKept)
  let reads = 0
  const ask = <E>(after: number, read: Effect.Effect<Page<Placed>, E>, filter = all) =>
    recent.read({ after: Position(after), filter }, Effect.tap(read, () => Effect.sync(() => reads++)))
  const fresh = Effect.succeed(pageOf(99, 99))
  /** Whether a page was there for this. */
  const has = Effect.fnUntraced(function*(after: number, filter = all) {
    const before = reads
    yield* ask(after, fresh, filter)
    return reads === before
  })
  return { ask, has, recent, reads: () => reads }
}

describe("a page that was read", () => {
  it.effect("is there for whoever is within it, from where that is", () =>
    Effect.gen(function*() {
      const { ask } = asking()
      yield* ask(10, Effect.succeed(pageOf(20, 11, 15, 18)))
      const none = Effect.die("it has to be there")
      assert.deepStrictEqual(places(yield* ask(10, none)), [11, 15, 18, "to 20"])
      assert.deepStrictEqual(places(yield* ask(15, none)), [18, "to 20"])
      assert.deepStrictEqual(places(yield* ask(19, none)), ["to 20"])
    }))

  it.effect("is not there before its begin or at its end", () =>
    Effect.gen(function*() {
      for (const after of [9, 20, 21]) {
        const { ask, has } = asking()
        yield* ask(10, Effect.succeed(pageOf(20, 11)))
        assert.isFalse(yield* has(after), `after ${after}`)
      }
    }))

  it.effect("is there only for those who want no more than it was read for", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [ReaderFilter, ReaderFilter, boolean]> = [
        [all, { prefix: "order-", types: ["A"] }, true],
        [{ prefix: "order-", types: undefined }, { prefix: "order-1", types: undefined }, true],
        [{ prefix: "order-", types: undefined }, all, false],
        [{ prefix: "", types: ["A", "B"] }, { prefix: "", types: ["B"] }, true],
        [{ prefix: "", types: ["A", "B"] }, { prefix: "", types: ["B", "C"] }, false],
        [{ prefix: "", types: ["A"] }, all, false]
      ]
      for (const [read, asked, there] of cases) {
        const { ask, has } = asking()
        yield* ask(10, Effect.succeed(pageOf(20, 11)), read)
        assert.strictEqual(yield* has(10, asked), there, JSON.stringify([read, asked]))
      }
    }))

  it.effect("is forgotten where nothing was found, where it is not to be kept, and after sixteen others", () =>
    Effect.gen(function*() {
      const empty = asking()
      yield* empty.ask(10, Effect.succeed(pageOf(10)))
      assert.isFalse(yield* empty.has(10))
      const large = asking(() => false)
      yield* large.ask(10, Effect.succeed(pageOf(20, 11)))
      assert.isFalse(yield* large.has(10))
      const many = asking()
      for (let n = 0; n < 17; n++) yield* many.ask(n * 10, Effect.succeed(pageOf(n * 10 + 10, n * 10 + 1)))
      assert.isTrue(yield* many.has(10))
      assert.isFalse(yield* many.has(0))
    }))

  it.effect("is let go of once it's too old to be given to anybody, though nobody reads", () =>
    Effect.gen(function*() {
      const { ask, recent } = asking()
      yield* ask(10, Effect.succeed(pageOf(20, 11)))
      yield* TestClock.adjust(600)
      yield* ask(20, Effect.succeed(pageOf(30, 21)))
      yield* recent.expire
      assert.strictEqual(recent.count, 2)
      yield* TestClock.adjust(500)
      yield* recent.expire
      assert.strictEqual(recent.count, 1)
    }))
})

describe("several who ask for the same at once", () => {
  const both = Effect.fnUntraced(function*(outcome: Effect.Effect<Page<Placed>>) {
    const { ask, reads } = asking()
    const gate = yield* Deferred.make<void>()
    const first = yield* Effect.forkChild(Effect.exit(ask(10, Effect.andThen(Deferred.await(gate), outcome))), {
      startImmediately: true
    })
    const second = yield* Effect.forkChild(ask(10, Effect.succeed(pageOf(30, 21))), { startImmediately: true })
    return { first, second, reads, open: Deferred.succeed(gate, undefined) }
  })

  it.effect("are given what one of them reads", () =>
    Effect.gen(function*() {
      const { open, reads, second } = yield* both(Effect.succeed(pageOf(20, 11)))
      yield* open
      assert.deepStrictEqual(places(yield* Fiber.join(second)), [11, "to 20"])
      assert.strictEqual(reads(), 1)
    }))

  it.effect("read for themselves where that one found nothing, failed or was interrupted", () =>
    Effect.gen(function*() {
      for (const outcome of [Effect.succeed(pageOf(10)), Effect.die("broken"), Effect.never]) {
        const { first, open, second } = yield* both(outcome)
        yield* open
        yield* Fiber.interrupt(first)
        assert.deepStrictEqual(places(yield* Fiber.join(second)), [21, "to 30"])
      }
    }))

  it.effect("wait for nobody that was interrupted, whenever that was", () =>
    Effect.gen(function*() {
      for (let turns = 0; turns < 40; turns++) {
        const { ask } = asking()
        const first = yield* Effect.forkChild(
          // It may be interrupted between any two of its operations: fewer than three at a time and it doesn't move.
          Effect.provideService(ask(10, Effect.never), Scheduler.MaxOpsBeforeYield, 3),
          { startImmediately: true }
        )
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
        yield* Fiber.interrupt(first)
        const second = yield* Effect.forkChild(ask(10, Effect.succeed(pageOf(30, 21))), { startImmediately: true })
        for (let turn = 0; turn < 100 && second.pollUnsafe() === undefined; turn++) yield* Effect.yieldNow
        assert.isDefined(second.pollUnsafe(), `interrupted after ${turns} turns`)
      }
    }))
})
