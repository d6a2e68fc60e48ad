/** Wake-ups: by notification where they come through, by looking where they don't, and never lost. */
import { assert, describe, it } from "@effect/vitest"
import { make, within } from "@persist/backend-postgres"
import { makeChanges } from "@persist/backend-postgres/changes"
import { settle } from "@persist/backend-postgres/config"
import { Handle } from "@persist/backend-postgres/handle"
import type { BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { appendOf, errorOf } from "../backend-sqlite/place.ts"
import { sql } from "../servers/postgres.ts"
import { ask, newClient, newPlace, newStore } from "./place.ts"

/** Opens the changes of a handle: each run waits for the next wake-up. */
const listen = (backend: Pick<BackendShape, "changes">) =>
  Effect.map(Stream.toPull(backend.changes), (pull) => Effect.asVoid(Pull.catchDone(pull, () => Effect.die("ended"))))

/** Runs until a wake-up after which the head is what it should be: as many are asked for as there are commits. */
const until = Effect.fnUntraced(function*(backend: BackendShape, woken: Effect.Effect<void, unknown>, head: number) {
  do yield* woken
  while ((yield* backend.head) < head)
})

const never = 2 ** 31 - 1

/** Sessions that listen for a store's commits. */
const listening = (url: string, incarnation: string) =>
  sql(url, `SELECT pid FROM pg_stat_activity WHERE query LIKE '%LISTEN "persist ${incarnation}"' AND state = 'idle'`)

describe("changes", () => {
  it.live("tell of other handles' commits without looking", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const backend = yield* make({ ...place, pollInterval: never })
      const other = yield* make(place)
      const woken = yield* listen(backend)
      while ((yield* listening(place.url, backend.about.incarnation)).length === 0);
      for (let n = 1; n <= 20; n++) {
        yield* other.commit([appendOf("s", "1")])
        yield* until(backend, woken, n)
      }
      const client = yield* newClient(place.url)
      for (let n = 21; n <= 30; n++) {
        yield* ask(client, "BEGIN")
        yield* (yield* within(client, { schema: place.schema })).commit([appendOf("s", "1")])
        yield* ask(client, "COMMIT")
        yield* until(backend, woken, n)
      }
    }))

  it.live("are told of to others, and so is the last of many at once", () =>
    Effect.gen(function*() {
      const told = yield* Queue.unbounded<void>()
      const changes = makeChanges({
        channel: "",
        schema: "",
        pollInterval: never,
        look: () => Promise.resolve(0),
        lend: () => Promise.reject(new Error("nobody listens here")),
        use: () => Promise.resolve(Queue.offerUnsafe(told, undefined))
      })
      for (let n = 1; n <= 5; n++) changes.committed(true)
      yield* Queue.take(told)
      yield* Queue.take(told)
    }))

  it.live("wake who listens once the server does, whatever was committed before", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* newStore
      const settings = settle({ url, schema })
      const handle = yield* Effect.acquireRelease(
        Effect.sync(() => new Handle(settings)),
        (opened) => Effect.promise(() => opened.close())
      )
      const changes = makeChanges({
        channel: `persist ${schema}`,
        schema: settings.quotedSchema,
        pollInterval: never,
        // Nothing is found by looking.
        look: () => new Promise(() => {}),
        lend: () => handle.lend(),
        use: () => Promise.resolve()
      })
      const woken = yield* listen(changes)
      yield* woken
      yield* woken
      assert.strictEqual((yield* listening(url, schema)).length, 1)
    }))

  it.live("tell of them by looking where nobody can be notified, and where notifications got lost", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const pooled = yield* make({ ...place, pollInterval: 20, direct: false })
      const backend = yield* make({ ...place, pollInterval: 20 })
      const other = yield* make(place)
      const [deaf, woken] = [yield* listen(pooled), yield* listen(backend)]
      const sessions = listening(place.url, backend.about.incarnation)
      for (let n = 1; n <= 5; n++) {
        let found = yield* sessions
        while (found.length === 0) found = yield* sessions
        assert.strictEqual(found.length, 1)
        yield* sql(place.url, `SELECT pg_terminate_backend(${String(found[0]?.pid)})`)
        yield* other.commit([appendOf("s", "1")])
        yield* until(pooled, deaf, n)
        yield* until(backend, woken, n)
      }
    }))

  it.live("listen only while somebody listens", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const backend = yield* make(place)
      const sessions = Effect.map(listening(place.url, backend.about.incarnation), ({ length }) => length)
      assert.strictEqual(yield* sessions, 0)
      for (let n = 0; n < 2; n++) {
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Effect.asVoid(listen(backend))
          yield* Effect.asVoid(listen(backend))
          while ((yield* sessions) === 0);
          assert.strictEqual(yield* sessions, 1)
        }))
        while ((yield* sessions) > 0);
      }
    }))

  it.live("are sent only where somebody listens", () =>
    Effect.gen(function*() {
      const place = yield* newPlace
      const backend = yield* make(place)
      const heard: Array<string> = []
      const bystander = yield* newClient(place.url)
      bystander.on("notification", ({ channel }) => heard.push(channel))
      yield* ask(bystander, `LISTEN "persist ${backend.about.incarnation}"`)
      yield* backend.commit([appendOf("s", "1")])
      // A store that lies beside it would be heard by now, had it been sent.
      yield* ask(bystander, "SELECT pg_notify('done', ''); LISTEN done; SELECT pg_notify('done', '')")
      while (heard.length === 0) yield* ask(bystander, "SELECT 1")
      assert.deepStrictEqual(heard, ["done"])
      const other = yield* make(place)
      yield* Effect.asVoid(listen(other))
      while ((yield* listening(place.url, backend.about.incarnation)).length === 0);
      yield* backend.commit([appendOf("s", "1")])
      while (heard.length < 2) yield* ask(bystander, "SELECT 1")
      assert.deepStrictEqual(heard, ["done", `persist ${backend.about.incarnation}`])
    }))

  it.live("wake who listens when the handle closes, so that the next read says so", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const backend = yield* Scope.provide(make(yield* newPlace), scope)
      const woken = yield* listen(backend)
      yield* woken
      yield* Scope.close(scope, Exit.void)
      yield* woken
      assert.match((yield* errorOf(backend.head)).message, /the store is closed/)
    }))
})
