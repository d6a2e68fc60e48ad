/** Projections into the application's own tables in the store's file: whatever ends a run, each event counts once. */
import { assert, describe, it } from "@effect/vitest"
import { make, transactions } from "@persist/backend-sqlite"
import { makeStore, moveCheckpoint, readCheckpoint, type Transact } from "@persist/core"
import { type FailurePolicy, health, listParked, retryParked, run, tables } from "@persist/runner"
import { Worker } from "@persist/runner/worker"
import Database from "better-sqlite3"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { Counted, fill } from "../runner/orders.ts"
import { quick, until } from "../runner/until.ts"
import { connectionTo, driver, errorOf, newPath } from "./place.ts"

/** A store, and a connection to its file, which has tables of the application's. */
const begun = Effect.gen(function*() {
  const path = yield* newPath
  const store = yield* makeStore(yield* make({ path }))
  const db = yield* connectionTo(path)
  db.exec("CREATE TABLE tally (stream TEXT NOT NULL, n INTEGER NOT NULL, UNIQUE (stream, n))")
  return { path, store, db }
})

interface Options {
  readonly name?: string
  readonly into?: string
  readonly transact?: Transact<Database.Database>
  readonly partitions?: number
  readonly failure?: FailurePolicy
  readonly after?: (db: Database.Database, numbers: ReadonlyArray<number>) => Effect.Effect<unknown, unknown>
}

const tally = (db: Database.Database, { after = () => Effect.void, into = "tally", ...options }: Options = {}) =>
  tables({
    name: "tally",
    events: Counted,
    transact: transactions({ db }),
    failure: { retries: 0 },
    ...options,
    handle: (own, events) =>
      Effect.suspend(() => {
        const insert = own.prepare(`INSERT INTO ${into} VALUES (?, ?)`)
        for (const { data, stream } of events) insert.run(stream, data.n)
        return after(own, events.map(({ data }) => data.n))
      })
  })

const tallied = (db: Database.Database) =>
  Effect.sync(() => db.prepare<[], string>("SELECT stream || ' ' || n FROM tally ORDER BY rowid").pluck().all())

const reach = (db: Database.Database, many: number) => until(tallied(db), ({ length }) => length >= many)

describe("a projection into tables of the store's file", () => {
  it.live("takes what there is and what comes, those of a stream in order, beside others who write", () =>
    Effect.gen(function*() {
      const { db, path, store } = yield* begun
      yield* fill(store, 5, 4)
      yield* Effect.forkChild(run(store, [tally(db, { partitions: 3 })], quick))
      yield* fill(store, 5, 4, 5)
      const found = yield* reach(db, 40)
      for (const stream of ["order-0", "order-4"]) {
        assert.deepStrictEqual(
          found.filter((row) => row.startsWith(stream)),
          Array.from({ length: 8 }, (_, n) => `${stream} ${n + 1}`)
        )
      }
      // The positions it took are there for all: the next one begins from them.
      const head = yield* store.head
      assert.isAtLeast(driver(path, (own) => Number(own.prepare("SELECT head FROM store").pluck().get())), head)
      assert.strictEqual(db.pragma("synchronous", { simple: true }), 2)
    }))

  it.live("shares its connection with others, as everyone shares the file", () =>
    Effect.gen(function*() {
      const { db, store } = yield* begun
      db.exec("CREATE TABLE copy (stream TEXT NOT NULL, n INTEGER NOT NULL)")
      const both = [tally(db, { partitions: 2 }), tally(db, { partitions: 2, name: "copy", into: "copy" })]
      yield* Effect.forkChild(run(store, both, quick))
      for (const n of [1, 2, 3, 4, 5]) {
        yield* fill(store, 3, 1, n)
        yield* reach(db, n * 3)
      }
      const copied = Effect.sync(() => db.prepare<[], number>("SELECT count(*) FROM copy").pluck().get())
      yield* until(copied, (count) => count === 15)
      assert.deepStrictEqual(new Set(yield* tallied(db)).size, 15)
    }))

  it.live("leaves nothing of a handler that fails, and parks the event without what was written for it", () =>
    Effect.gen(function*() {
      const { db, store } = yield* begun
      let broken = true
      yield* fill(store, 2, 5)
      const processor = tally(db, {
        failure: { retries: 1, delay: 1, finally: "park" },
        after: (_, numbers) => broken && numbers.includes(3) ? Effect.fail("no threes") : Effect.void
      })
      yield* Effect.forkChild(run(store, [processor], quick))
      const parked = Stream.runCollect(listParked(store, "tally"))
      const waiting = yield* until(parked, ({ length }) => length === 6)
      assert.deepStrictEqual(
        waiting.map(({ attempts, stream }) => `${stream} ${attempts.length}`).slice(0, 2),
        ["order-0 2", "order-1 2"]
      )
      assert.deepStrictEqual(yield* tallied(db), ["order-0 1", "order-1 1", "order-0 2", "order-1 2"])
      broken = false
      for (const { attempts, position } of waiting) {
        if (attempts.length > 0) yield* retryParked(store, "tally", position)
      }
      yield* fill(store, 2, 1, 6)
      const found = yield* reach(db, 12)
      assert.deepStrictEqual(
        found.filter((row) => row.startsWith("order-1")),
        [1, 2, 3, 4, 5, 6].map((n) => `order-1 ${n}`)
      )
    }))

  it.live("stops at what fails, and goes on from there in whoever runs it next", () =>
    Effect.gen(function*() {
      const { db, store } = yield* begun
      yield* fill(store, 1, 9)
      const failing = tally(db, { after: (_, numbers) => numbers.includes(6) ? Effect.fail("no sixes") : Effect.void })
      const first = yield* Effect.forkChild(run(store, [failing], quick))
      const states = Effect.map(health(store), ({ processors }) => processors.flatMap(({ partitions }) => partitions))
      yield* until(states, (all) => all.some(({ state }) => state === "stopped"))
      assert.strictEqual((yield* tallied(db)).length, 5)
      yield* Fiber.interrupt(first)
      yield* Effect.forkChild(run(store, [tally(db)], quick))
      assert.strictEqual((yield* reach(db, 9)).at(-1), "order-0 9")
    }))

  it.live("is as far as what it has written, and no further", () =>
    Effect.gen(function*() {
      const { db, store } = yield* begun
      yield* fill(store, 1, 4)
      const own = transactions({ db })
      const places: Array<number | undefined> = []
      const look = Effect.map(readCheckpoint(store, "tally"), Option.map(({ position }) => places.push(position)))
      const processor = tally(db, {
        transact: (...asked) => Effect.tap(own(...asked), look),
        after: (_, numbers) => numbers.length > 1 ? Effect.fail("one after the other") : Effect.void
      })
      yield* Effect.forkChild(run(store, [processor], quick))
      yield* reach(db, 4)
      const events = yield* Stream.runCollect(store.log(Counted).read("order-0"))
      yield* until(Effect.sync(() => places.length === 4))
      assert.deepStrictEqual(places.slice(0, 3), events.map(({ position }) => position).slice(0, 3))
    }))

  it.live("is fenced where others took over, and leaves nothing", () =>
    Effect.gen(function*() {
      const { db, store } = yield* begun
      yield* fill(store, 1, 3)
      const processor = tally(db)
      const partition = { index: 0, of: 1 }
      const checkpoint = yield* processor.register(store, partition)
      const assignment = yield* processor.assign(store, partition)
      const worker = new Worker({ store, processor: "tally", policy: processor.policy, checkpoint, assignment })
      yield* moveCheckpoint(store, checkpoint, checkpoint.position)
      assert.deepInclude(yield* worker.run, { _tag: "Fenced", name: "tally" })
      assert.deepStrictEqual(yield* tallied(db), [])
      yield* Effect.forkChild(run(store, [processor], quick))
      assert.deepStrictEqual(yield* reach(db, 3), ["order-0 1", "order-0 2", "order-0 3"])
    }))

  it.live("doesn't take part where it ends the transaction, or goes on later", () =>
    Effect.gen(function*() {
      const { db, store } = yield* begun
      const op = store.kv("k").ops.put("key", 1)
      const insert = db.prepare("INSERT INTO tally VALUES ('late', 1)")
      const wrongs = {
        "ended the transaction": Effect.sync(() => db.exec("ROLLBACK")),
        "didn't end at once": Effect.andThen(Effect.promise(() => Promise.resolve()), Effect.sync(() => insert.run()))
      }
      for (const [reason, work] of Object.entries(wrongs)) {
        const exit = yield* Effect.exit(transactions({ db })(store, () => work, [op]))
        const defect = exit._tag === "Failure" ? Cause.squash(exit.cause) : undefined
        assert.deepInclude(defect, { _tag: "Invalid", field: "handle" })
        assert.include(String(defect), reason)
      }
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.deepStrictEqual(yield* tallied(db), [])
      assert.isTrue(Option.isNone(yield* store.kv("k").get("key")))
    }))
})

describe("what can't be run", () => {
  it.live("is refused by the name of what's wrong", () =>
    Effect.gen(function*() {
      const { db, store } = yield* begun
      const op = store.kv("k").ops.put("key", 1)
      const refused = (own: Database.Database) => errorOf(transactions({ db: own })(store, () => Effect.void, [op]))
      const invalid = { _tag: "Invalid", field: "db" } as const
      const another = yield* begun
      assert.deepInclude(yield* refused(another.db), invalid)
      assert.deepInclude(yield* refused(new Database(":memory:")), invalid)
      assert.deepInclude(yield* refused(new Database(":memory:").close()), invalid)
      const big = new Database(db.name).defaultSafeIntegers(true)
      assert.include(String(yield* refused(big)), "bigint")
      db.exec("BEGIN")
      assert.include(String(yield* refused(db)), "has a transaction open")
      db.exec("ROLLBACK")
      assert.isTrue(Option.isNone(yield* store.kv("k").get("key")))
      // What a caller without types may pass.
      const wrong = (config: object) => Effect.flip(Effect.try(() => transactions(Object.assign({ db }, config))))
      assert.deepInclude((yield* wrong({ db: "app.db" })).cause, invalid)
      assert.deepInclude((yield* wrong({ path: "app.db" })).cause, { _tag: "Invalid", field: "path" })
    }))
})
