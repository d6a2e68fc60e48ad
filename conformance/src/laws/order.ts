/** Laws of the total order: positions only rise, and nothing appears below what a reader was given. */
import type { BackendShape, Position, StoredEvent } from "@persist/core"
import { origin } from "@persist/core"
import * as Effect from "effect/Effect"
import { equal, every, holds } from "../assertion.ts"
import { append, appendEach, commitOne, put, putEach, readAllOf, readWhole } from "../given.ts"
import { lawOf } from "../law.ts"
import { atOnce, rivals } from "../rivals.ts"

const law = lawOf("order")
const rounds = Array.from({ length: 6 }, (_, n) => `${n}`)

// Writers that keep the store busy, each to its own stream and to a common one, with keys in between.
const writing = (writers: ReadonlyArray<BackendShape>, onEach: (position: Position) => void = () => undefined) =>
  atOnce(writers, (writer, n) =>
    Effect.forEach(
      rounds,
      Effect.fnUntraced(function*(data) {
        const stream = Number(data) % 3 === 0 ? "common" : `own ${n}`
        onEach((yield* commitOne(writer, { append: [append(stream, data)] })).position)
        if (Number(data) % 4 === 0) onEach((yield* commitOne(writer, { write: [put(`${n}`, data)] })).position)
        yield* Effect.yieldNow
      })
    ))

// Runs readers beside the writers; a reader goes on until the writers are done and it has reached their end.
const besideWriters = Effect.fnUntraced(function*<A>(
  writers: ReadonlyArray<BackendShape>,
  readers: ReadonlyArray<BackendShape>,
  read: (reader: BackendShape, goesOn: () => boolean) => Effect.Effect<A, unknown>
) {
  let busy = true
  const write = Effect.andThen(
    writing(writers),
    Effect.sync(() => {
      busy = false
    })
  )
  const [found] = yield* Effect.all([atOnce(readers, (reader) => read(reader, () => busy)), write], {
    concurrency: "unbounded"
  })
  return found
})

/** Laws of positions and of what a reader may rely on. */
export const order = [
  law(
    "once a reader was given a position, nothing at or below it appears later",
    ["readAll"],
    function*(backend, place) {
      const writers = yield* rivals(backend, place, 4)
      const found = yield* besideWriters(
        writers,
        writers.slice(0, 3),
        Effect.fnUntraced(function*(reader, goesOn) {
          const seen: Array<StoredEvent> = []
          for (let last = false; !last;) {
            last = !goesOn()
            seen.push(...yield* readAllOf(reader, { after: seen.at(-1)?.position ?? origin, limit: 5 }))
            yield* Effect.yieldNow
          }
          return seen.map(({ position }) => position)
        })
      )
      const all = (yield* readAllOf(backend)).map(({ position }) => position)
      yield* equal("number of events", all.length, writers.length * rounds.length)
      for (const positions of found) yield* equal("positions a reader met, going on from the last", positions, all)
    }
  ),

  law("nothing appears later at or below a head that was read", ["readAll"], function*(backend, place) {
    const writers = yield* rivals(backend, place, 4)
    const found = yield* besideWriters(
      writers,
      writers.slice(0, 2),
      Effect.fnUntraced(function*(reader, goesOn) {
        const seen: Array<{ readonly head: Position; readonly count: number }> = []
        while (goesOn()) {
          const head = yield* reader.head
          seen.push({ head, count: (yield* readAllOf(reader, { to: head })).length })
          yield* Effect.yieldNow
        }
        return seen
      })
    )
    const all = yield* readAllOf(backend)
    yield* equal("number of events", all.length, writers.length * rounds.length)
    yield* every(
      "events below a head, counted then and now",
      found.flat(),
      ({ count, head }) => all.filter(({ position }) => position <= head).length === count
    )
  }),

  law("positions rise from commit to commit", [], function*(backend) {
    const positions: Array<Position> = []
    yield* writing([backend], (position) => positions.push(position))
    yield* every("position above the one before", positions, (position, n) => position > (positions[n - 1] ?? 0))
  }),

  law("no position is given out twice, to events or to keys", [], function*(backend, place) {
    const positions: Array<Position> = []
    yield* writing(yield* rivals(backend, place, 4), (position) => positions.push(position))
    yield* every("positions", positions, (position, n) => positions.indexOf(position) === n)
  }),

  law("each stream's events appear in the total order by their seqs", ["readAll"], function*(backend, place) {
    yield* writing(yield* rivals(backend, place, 4))
    const all = yield* readAllOf(backend)
    for (const [stream, events] of Map.groupBy(all, (event) => event.stream)) {
      yield* every(`seqs of ${stream}`, events, ({ seq }, n) => seq === n + 1)
    }
    yield* every("position above the one before", all, ({ position }, n) => position > (all[n - 1]?.position ?? 0))
  }),

  law("a stream's events have rising positions", [], function*(backend, place) {
    yield* writing(yield* rivals(backend, place, 4))
    const events = yield* readWhole(backend, "common")
    yield* every(
      "position above the one before",
      events,
      ({ position }, n) => position > (events[n - 1]?.position ?? 0)
    )
  }),

  law("the head of a new store is 0", [], function*(backend) {
    yield* equal("head", yield* backend.head, origin)
    yield* appendEach(backend, "s", ["1"])
    yield* holds((yield* backend.head) > 0, "it is 0 after a commit, too")
  }),

  law("the head is the last position given out, to an event or to a key", [], function*(backend) {
    const [event] = yield* appendEach(backend, "s", ["1"])
    yield* equal("after an event", yield* backend.head, event?.position)
    const [key] = yield* putEach(backend, { k: "1" })
    yield* equal("after a key", yield* backend.head, key)
    const { position } = yield* commitOne(backend, { append: [append("s", "2")] })
    yield* equal("after another event", yield* backend.head, position)
  }),

  law("the head moves for every handle", ["shared"], function*(backend, place) {
    const other = yield* place.open
    const [first] = yield* appendEach(backend, "s", ["1"])
    yield* holds(first !== undefined && first.position > 0, "the first commit took no position")
    yield* equal("head of the other handle", yield* other.head, first?.position)
    const [second] = yield* appendEach(other, "s", ["2"])
    yield* equal("head of the first handle", yield* backend.head, second?.position)
  }),

  law("every handle reads the same total order", ["shared", "readAll"], function*(backend, place) {
    const writers = yield* rivals(backend, place, 3)
    yield* writing(writers)
    const orders = yield* Effect.forEach(writers, (writer) => readAllOf(writer))
    yield* every("orders", orders, (all) => all.length === writers.length * rounds.length)
    for (const all of orders) yield* equal("total order of a handle", all, orders[0])
  }),

  law("events that were read are the same when they are read again", ["readAll"], function*(backend, place) {
    yield* writing(yield* rivals(backend, place, 2))
    const before = yield* readAllOf(backend)
    yield* holds(before.length > 0, "there was nothing to read")
    yield* writing(yield* rivals(backend, place, 2))
    const after = yield* readAllOf(backend)
    yield* equal("the first events, later", after.slice(0, before.length), before)
    yield* holds(after.length === 2 * before.length, `${after.length} events where ${2 * before.length} were appended`)
  })
]
