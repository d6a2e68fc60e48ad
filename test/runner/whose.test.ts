/** Whatever operators, failures, ends and keys that can't be told for a while do to events: each takes effect once. */
import { assert, describe, it } from "@effect/vitest"
import type { StoreError, StoreShape } from "@persist/core"
import { dropParked, listParked, reaction, reset, resume, retryParked, run, whenProcessed } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Counted, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

/** Whole numbers below another one, the same for the same seed: a linear congruential generator. */
const dice = (seed: number) => {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A reaction that puts a key for each event, which must not be there; some keys and handlers are broken at times. */
const once = (store: StoreShape) => {
  const broken = { keys: false, handlers: false }
  const done = store.kv("done")
  const processor = reaction({
    name: "once",
    events: Counted,
    partitions: 3,
    failure: { retries: 0, finally: "park" },
    key: ({ data: { n }, stream }) => {
      if (broken.keys && n % 3 === 0) throw new Error("no key")
      return n % 2 === 0 ? stream : `own of ${n}`
    },
    handle: (events) =>
      broken.handlers && events.some(({ data: { n } }) => n % 5 === 0)
        ? Effect.fail("broken")
        : Effect.succeed(events.map(({ position }) => done.ops.put(String(position), 1, { expected: "absent" })))
  })
  return { broken, done, processor }
}

const listed = (store: StoreShape) => Stream.runCollect(listParked(store))

/** Nothing, where it went through meanwhile, or wasn't run yet. */
const ifThere = (said: Effect.Effect<void, StoreError>) =>
  Effect.catchIf(said, ({ _tag }) => _tag === "Invalid", () => Effect.void)

/** Does so many things that may happen, in an order that the dice say; answers the events that there are. */
const mayHappen = Effect.fnUntraced(function*(
  store: StoreShape,
  { broken, processor }: ReturnType<typeof once>,
  roll: (below: number) => number
) {
  let n = 0
  const all: Array<string> = []
  const begin = () => Effect.forkChild(run(store, [processor], { ...quick, patience: 60_000 }))
  let runners = [yield* begin(), yield* begin()]
  const say = Effect.fnUntraced(function*(saying: typeof retryParked) {
    const events = yield* listed(store)
    const one = events[roll(events.length)]
    if (one !== undefined) yield* ifThere(saying(store, "once", one.position))
  })
  for (let i = 0; i < 120; i++) {
    const what = roll(13)
    if (what < 4) {
      const event = { type: "Counted", data: { n: n++ } } as const
      const { position } = yield* store.log(Counted).append(`order-${roll(3)}`, event, { expected: "any" })
      all.push(String(position))
    } else if (what === 4) broken.keys = !broken.keys
    else if (what === 5) {
      yield* Effect.forEach(runners, Fiber.interrupt)
      broken.keys = !broken.keys
      runners = [yield* begin(), yield* begin()]
    } else if (what === 6) broken.handlers = !broken.handlers
    else if (what === 7) yield* ifThere(resume(store, "once"))
    else if (what === 8) {
      const which = roll(2)
      const ended = runners[which]
      if (ended !== undefined) yield* Fiber.interrupt(ended)
      runners[which] = yield* begin()
    } else if (what === 9) yield* say(dropParked)
    else yield* say(retryParked)
    for (let turns = roll(400); turns > 0; turns--) yield* Effect.yieldNow
  }
  yield* Effect.forEach(runners, Fiber.interrupt)
  return all
})

/** Lets everything go through that wasn't dropped; answers what was, and what took effect again. */
const settled = Effect.fnUntraced(function*(store: StoreShape, { broken, processor }: ReturnType<typeof once>) {
  broken.keys = false
  broken.handlers = false
  const runner = yield* Effect.forkChild(run(store, [processor], quick))
  yield* whenProcessed(store, processor, yield* store.head)
  const twice = new Set<string>()
  const left = Effect.gen(function*() {
    const events = (yield* listed(store)).filter(({ state }) => state !== "dropped")
    for (const { attempts } of events) {
      for (const { error } of attempts) if (error.includes("expected absent")) twice.add(error)
    }
    yield* Effect.forEach(events, ({ position }) => ifThere(retryParked(store, "once", position)))
    return events.length
  })
  yield* until(left, (count) => count === 0)
  yield* Fiber.interrupt(runner)
  return { dropped: (yield* listed(store)).map(({ position }) => String(position)), twice: Array.from(twice) }
})

const inOrder = (positions: Iterable<string>) => Array.from(new Set(positions)).toSorted()

describe("an event", () => {
  const seeds = Array.from({ length: 12 }, (_, seed) => seed)

  it.live.each(seeds)("takes effect once, or is dropped, whatever happens (%i)", (seed) =>
    Effect.gen(function*() {
      const store = yield* newStore
      const one = once(store)
      const all = yield* mayHappen(store, one, dice(seed))
      const done = Effect.map(Stream.runCollect(one.done.scan()), (entries) => entries.map(({ key }) => key))
      const { dropped, twice } = yield* settled(store, one)
      assert.deepStrictEqual(twice, [])
      // One that is listed though its own partition has handled it goes when it's tried, but may be dropped instead.
      assert.deepStrictEqual(inOrder([...yield* done, ...dropped]), inOrder(all))
      yield* one.done.clear()
      yield* reset(store, "once")
      assert.deepStrictEqual(yield* settled(store, one), { dropped, twice })
      assert.deepStrictEqual(inOrder(yield* done), inOrder(all.filter((each) => !dropped.includes(each))))
    }))
})
