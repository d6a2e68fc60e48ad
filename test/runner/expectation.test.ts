/** What comes of events and can't be: a failure of the event, and no word of somebody else's or of the store's. */
import { assert, describe, it } from "@effect/vitest"
import { Catalogue } from "@persist/core"
import { health, listParked, reaction, retryParked, run, workflow } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Counted, fill, newStore } from "./orders.ts"
import { quick, until } from "./until.ts"

describe("operations that expect what isn't so", () => {
  it.live("are made again with fewer events, then tried again and parked as any other failure", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const seats = store.kv("seats", Schema.String)
      // The third of five seats is taken.
      yield* seats.put("seat-3", "somebody")
      yield* fill(store, 1, 5)
      let given = 0
      const seating = reaction({
        name: "seating",
        events: Counted,
        key: ({ data }) => String(data.n),
        failure: { retries: 2, delay: 1, finally: "park" },
        handle: (events) => {
          given++
          return Effect.succeed(
            events.map(({ data, stream }) => seats.ops.put(`seat-${data.n}`, stream, { expected: "absent" }))
          )
        }
      })
      yield* Effect.forkChild(run(store, [seating], quick))
      const list = Stream.runCollect(listParked(store))
      const [parked] = yield* until(list, ({ length }) => length === 1)
      assert.deepStrictEqual(parked?.keys, ["3"])
      assert.strictEqual(parked?.attempts.length, 3)
      assert.match(parked?.attempts[0]?.error ?? "", /key "seat-3" of "seats" is at revision 1, expected absent/)
      yield* until(seats.has("seat-5"))
      assert.strictEqual(yield* seats.count(), 5)
      // Five, three, and two that go; three, two and the third alone, three times; and the last two.
      assert.strictEqual(given, 13)
      yield* seats.delete("seat-3")
      yield* retryParked(store, "seating", parked?.position ?? 0)
      yield* until(list, ({ length }) => length === 0)
      assert.strictEqual(yield* seats.count(), 5)
    }))

  it.live("are made again with fewer events where they are too much for a commit, and parked where wrong", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const notes = store.kv("notes", Schema.Int)
      yield* fill(store, 1, 5)
      const most = store.about.limits.commitEvents
      const noting = reaction({
        name: "noting",
        events: Counted,
        key: ({ data }) => String(data.n),
        failure: { retries: 0, finally: "park" },
        handle: (events) =>
          Effect.succeed(events.flatMap(({ data: { n } }) =>
            n === 4
              ? [notes.ops.put("", n)]
              : Array.from({ length: Math.ceil(most / 3) }, (_, i) => notes.ops.put(`${n}/${i}`, n))
          ))
      })
      yield* Effect.forkChild(run(store, [noting], quick))
      const [parked] = yield* until(Stream.runCollect(listParked(store)), ({ length }) => length === 1)
      assert.match(parked?.attempts[0]?.error ?? "", /Invalid: key/)
      assert.deepStrictEqual(parked?.keys, ["4"])
      yield* until(notes.has("5/0"))
      assert.strictEqual(yield* notes.count(), 4 * Math.ceil(most / 3))
    }))

  it.live("are tried again while that may become so", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const doors = store.kv("doors", Schema.String)
      yield* fill(store, 1, 1)
      const entering = reaction({
        name: "entering",
        events: Counted,
        failure: { retries: 1000, delay: 1, longestDelay: 2 },
        handle: () => Effect.succeed([doors.ops.put("door", "closed", { expected: "exists" })])
      })
      yield* Effect.forkChild(run(store, [entering], quick))
      const retrying = yield* until(health(store), ({ processors: [one] }) => one?.partitions[0]?.state === "retrying")
      assert.match(retrying.processors[0]?.partitions[0]?.error?.error ?? "", /"door" of "doors" is absent/)
      yield* doors.put("door", "open")
      yield* until(Effect.map(doors.get("door"), (door) => door._tag === "Some" && door.value === "closed"))
    }))

  it.live("of a workflow's commands stop it as any other failure", () =>
    Effect.gen(function*() {
      const store = yield* newStore
      const commands = Catalogue.make({ Done: Schema.Null })
      yield* store.log(commands).append("done", { type: "Done", data: null }, { expected: 0 })
      yield* fill(store, 1, 1)
      const finishing = workflow({
        name: "finishing",
        events: Counted,
        prefix: "order-",
        failure: { retries: 0 },
        correlate: ({ stream }) => stream,
        state: Schema.Null,
        seed: null,
        commands,
        step: (state) => ({
          state,
          commands: [{ stream: "done", events: [{ type: "Done", data: null }], expected: 0 }]
        })
      })
      yield* Effect.forkChild(run(store, [finishing], quick))
      const { processors } = yield* until(
        health(store),
        ({ processors: [one] }) => one?.partitions[0]?.state === "stopped"
      )
      assert.match(processors[0]?.partitions[0]?.error?.error ?? "", /stream "done" is at seq 1, expected 0/)
    }))
})
