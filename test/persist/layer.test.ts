/** Stores by URL as Layers: the same store, its backend beside it, and a configuration that names it. */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Backend, Invalid, layer, layerBackend, layerConfig, Store } from "persist/effect"

const roundTrip = Effect.gen(function*() {
  const store = yield* Store
  yield* store.kv("n").put("a", 1)
  return [yield* store.kv("n").count(), store.about.name] as const
})

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "persist-layer-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

describe("a layer", () => {
  it.effect("by URL gives the store and the backend beneath it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* roundTrip, [1, "memory"])
      const backend = yield* Backend
      assert.isAbove(yield* backend.head, 0)
    }).pipe(Effect.provide(layer("memory:"))))

  it.effect("by a wrong URL fails to build, and never prints it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.provide(roundTrip, layer("nosuch://ada:hunter2@db")))
      assert.instanceOf(error, Invalid)
      assert.notInclude(String(error), "hunter2")
    }))

  it.effect("takes schemes and the store's options", () =>
    Effect.gen(function*() {
      const made = layer("mine:x", { schemes: { mine: () => Effect.fail(new Invalid(mine)) }, retries: 0 })
      assert.deepInclude(yield* Effect.flip(Effect.provide(roundTrip, made)), mine)
    }))

  it.effect("hands the options on", () =>
    Effect.gen(function*() {
      const store = yield* Store
      const error = yield* Effect.flip(store.kv("n").get("a", { atLeast: 9 }))
      assert.include(String(error), "within 1 ms")
    }).pipe(Effect.provide(layer("memory:", { atLeastWithin: 1 })), TestClock.withLive))

  it.effect("of the backend alone leaves room for something between it and the store", () =>
    Effect.gen(function*() {
      const renamed = Layer.effect(
        Backend,
        Effect.map(Backend, (inner) => ({ ...inner, about: { ...inner.about, name: "renamed" } }))
      )
      const stacked = Store.layer.pipe(Layer.provide(renamed), Layer.provide(layerBackend("memory:")))
      assert.deepStrictEqual(yield* Effect.provide(roundTrip, stacked), [1, "renamed"])
    }))

  it.effect("by configuration is PERSIST_URL, or what another config says", () =>
    Effect.gen(function*() {
      const path = join(yield* temporary, "app.db")
      const configured = (values: Readonly<Record<string, string>>) =>
        ConfigProvider.layer(ConfigProvider.fromUnknown(values))
      assert.deepStrictEqual(
        yield* Effect.provide(roundTrip, Layer.provide(layerConfig(), configured({ PERSIST_URL: `sqlite:${path}` }))),
        [1, "sqlite"]
      )
      assert.deepStrictEqual(
        yield* Effect.provide(
          roundTrip,
          Layer.provide(layerConfig(Config.String("STORE")), configured({ STORE: "memory:" }))
        ),
        [1, "memory"]
      )
      const missing = Layer.provide(layerConfig(Config.String("STORE")), configured({}))
      assert.strictEqual((yield* Effect.flip(Effect.provide(roundTrip, missing)))._tag, "ConfigError")
    }))
})

const mine = { field: "mine", reason: "is nobody else's", remedy: "ask first" }
