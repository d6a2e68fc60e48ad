/** One event alone: what its single statement does is what a transaction would have done, whoever else writes. */
import { assert, describe, it } from "@effect/vitest"
import { make as makeMemory } from "@persist/backend-memory"
import { make } from "@persist/backend-sqlite"
import { Writer } from "@persist/backend-sqlite/commit"
import { Names } from "@persist/backend-sqlite/names"
import { OneEventWriter } from "@persist/backend-sqlite/one-event"
import { makeRecorded } from "@persist/backend-sqlite/recorded"
import { incarnationOf } from "@persist/backend-sqlite/schema"
import { type BackendShape, type Commit, type Outcome, Position, Seq } from "@persist/core"
import Database from "better-sqlite3"
import * as NonEmpty from "effect/Array"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"
import { appendOf, commitOf, contents, eventOf, eventsOf, newPath, putOf, visit } from "./place.ts"

const streams = fc.constantFrom("a", "b")

const seqs = fc.integer({ min: 0, max: 6 }).map((seq) => Seq(seq))

// Single events, and what is nearly one.
const commits: fc.Arbitrary<Commit> = fc.oneof(
  { weight: 4, arbitrary: streams.map((stream) => appendOf(stream, "1")) },
  {
    weight: 3,
    arbitrary: fc.tuple(streams, streams, seqs).map(([stream, expected, seq]): Commit => ({
      ...appendOf(stream, "2"),
      expect: [{ _tag: "Stream", stream: expected, expected: seq }]
    }))
  },
  streams.map((stream): Commit => ({
    ...appendOf(stream, "2"),
    expect: [{ _tag: "Key", namespace: "n", key: stream, expected: "exists" }]
  })),
  streams.map((stream) => appendOf(stream, "3", "4")),
  {
    weight: 3,
    arbitrary: streams.map((stream) => ({ ...appendOf(stream, "5"), identity: { id: stream, digest: "d" } }))
  },
  streams.map((key) => commitOf({ write: [putOf("n", key, "1")] })),
  streams.map((stream) => commitOf({ truncate: [{ stream, before: Seq(3) }] })),
  streams.map((stream) => ({ ...appendOf(stream, "6"), write: [putOf("n", stream, "2")] })),
  streams.map((stream) => ({ ...appendOf(stream, "7"), truncate: [{ stream, before: Seq(2) }] })),
  fc.uniqueArray(streams, { minLength: 2, maxLength: 2 }).map((both) =>
    commitOf({ append: both.flatMap((stream) => appendOf(stream, "8").append) })
  )
)

/** Each batch with the handle that is asked for it, mostly the same one, so that much is as it remembers it. */
const scripts = fc.array(
  fc.tuple(
    fc.constantFrom(0, 0, 0, 1),
    fc.oneof(
      { weight: 5, arbitrary: commits.map((commit) => NonEmpty.of(commit)) },
      fc.tuple(commits, commits)
    )
  ),
  { maxLength: 40 }
)

const play = Effect.fnUntraced(function*(
  handles: ReadonlyArray<BackendShape>,
  script: ReadonlyArray<readonly [number, NonEmpty.NonEmptyReadonlyArray<Commit>]>
) {
  const outcomes: Array<Outcome> = []
  for (const [handle, batch] of script) {
    const backend = handles[handle % handles.length]
    assert(backend !== undefined)
    outcomes.push(...yield* backend.commit(batch))
  }
  return outcomes
})

/** The statements of a writer that appends to a store, after a first append that has everything remembered. */
const statementsOf = (path: string, append: (writer: Writer) => void): ReadonlyArray<string> => {
  const statements: Array<string> = []
  const db = new Database(path, { verbose: (sql) => void statements.push(String(sql)) })
  try {
    append(
      new Writer({
        db,
        incarnation: incarnationOf(db),
        types: new Names(db, "type"),
        namespaces: new Names(db, "namespace"),
        recorded: makeRecorded(db),
        moved: () => false,
        holdsMore: () => false,
        notify: () => void statements.push("told")
      })
    )
  } finally {
    db.close()
  }
  return statements.map((sql) => sql.split(" ").slice(0, 3).join(" "))
}

describe("one event alone", () => {
  it.effect("gets what a store in memory gives, whichever of two handles appends it", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(scripts, (script) =>
          Effect.runPromise(Effect.scoped(Effect.gen(function*() {
            const path = yield* newPath
            const handles = [yield* make({ path }), yield* make({ path })]
            const memory = yield* makeMemory()
            assert.deepStrictEqual(yield* play(handles, script), yield* play([memory], script))
            assert.deepStrictEqual(yield* visit(path, contents), yield* contents(memory))
          })))),
        { numRuns: 120 }
      )
    ))

  it.effect("comes after what somebody else commits between the look at the file and the statement", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const [one, other] = [yield* make({ path }), yield* make({ path })]
      yield* one.commit([appendOf("s", "1")])
      const [late] = appendOf("s", "3").append
      assert(late !== undefined)
      const [event] = late.events
      let told = false
      // The statement's values are the last thing asked for before it's run.
      const slow = {
        ...event,
        get meta() {
          if (!told) Effect.runSync(other.commit([appendOf("s", "2")]))
          told = true
          return event.meta
        }
      }
      const [outcome] = yield* one.commit([commitOf({ append: [{ ...late, events: [slow] }] })])
      assert.isTrue(told)
      assert(outcome._tag === "Committed")
      assert.strictEqual(outcome.appended[0]?.last, Seq(3))
      const events = yield* eventsOf(one, "s")
      assert.deepStrictEqual(events.map(({ data }) => data), ["1", "2", "3"])
    }))

  it.effect("takes one statement and a look whether others wrote, from the second on", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(path, (backend) => backend.commit([appendOf("s", "1")]))
      const statements = statementsOf(path, (writer) => {
        for (let n = 0; n < 2; n++) Effect.runSync(writer.commit([appendOf("s", "1")]))
      })
      const [look, insert, told, ...rest] = statements.slice(statements.indexOf("told") + 1)
      assert.deepStrictEqual([look, insert, told, rest.length], ["PRAGMA data_version", "INSERT OR IGNORE", "told", 0])
    }))

  it.effect("is not appended where anything is other than remembered, though nothing was seen of it", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      yield* visit(
        path,
        (backend) => backend.commit([appendOf("s", "1", "2"), commitOf({ write: [putOf("n", "k", "1")] })])
      )
      const db = yield* Effect.acquireRelease(
        Effect.sync(() => new Database(path)),
        (opened) => Effect.sync(() => opened.close())
      )
      const count = db.prepare<[], number>("SELECT count(*) FROM event").pluck()
      const event = eventOf("3")
      const writer = new OneEventWriter(db, incarnationOf(db))
      const next = { position: 4, stream: 1, seq: 3, type: 1 }
      assert.isFalse(writer.write({ ...next, position: 2 }, event, Position(3)), "the position is taken")
      assert.isFalse(writer.write({ ...next, seq: 2 }, event, Position(3)), "the seq is taken")
      assert.isFalse(writer.write({ ...next, position: 3 }, event, Position(2)), "a put has moved the head")
      assert.isFalse(new OneEventWriter(db, "another").write(next, event, Position(3)), "another incarnation")
      assert.strictEqual(count.get(), 2)
      assert.isTrue(writer.write(next, event, Position(3)))
      assert.strictEqual(count.get(), 3)
    }))
})
