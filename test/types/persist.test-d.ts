/** The umbrella's types: data follows from an event's type, conflicts are where they can be, nothing needs a cast. */
import type * as Layer from "effect/Layer"
import {
  Catalogue,
  type Conflict,
  Decider,
  type EventOf,
  type EventsAppended,
  type Json,
  type KeyWritten,
  open,
  type PatchOperation,
  Projection,
  ReadModel,
  Result,
  Schema,
  type Seq,
  type Store
} from "persist"
import { layer, type Store as EffectStore, type StoreError } from "persist/effect"
import { expectTypeOf } from "vitest"

declare const store: Store

const Cart = Catalogue.make({
  Added: Schema.Struct({ sku: Schema.String, price: Schema.Int }),
  Emptied: Schema.Struct({ why: Schema.Literals(["paid", "left"]) })
})
const log = store.log(Cart)

export const reading = async (): Promise<void> => {
  for await (const event of log.read("cart")) {
    expectTypeOf<typeof event.type>().toEqualTypeOf<"Added" | "Emptied">()
    expectTypeOf<typeof event.seq>().toEqualTypeOf<Seq>()
    if (event.type === "Added") {
      expectTypeOf<typeof event.data>().toEqualTypeOf<{ readonly sku: string; readonly price: number }>()
    } else expectTypeOf<typeof event.data.why>().toEqualTypeOf<"paid" | "left">()
    // @ts-expect-error no such event
    if (event.type === "Removed") return
  }
  const [first] = await log.readAll({ types: ["Added"] }).toArray()
  expectTypeOf<NonNullable<typeof first>["type"]>().toEqualTypeOf<"Added" | "Emptied">()
  for await (const event of store.log().read("cart")) {
    expectTypeOf<typeof event.data>().toEqualTypeOf<Json | Uint8Array>()
  }
}

export const appending = async (): Promise<void> => {
  const added = { type: "Added", data: { sku: "tea", price: 1 } } as const
  expectTypeOf<Awaited<ReturnType<typeof any>>>().toEqualTypeOf<EventsAppended>()
  const any = () => log.append("cart", added, { expected: "any" })
  const first = () => log.append("cart", [added], { expected: 0, signal: new AbortController().signal })
  expectTypeOf<Awaited<ReturnType<typeof first>>>().toEqualTypeOf<EventsAppended | Conflict>()
  const outcome = await first()
  if (outcome._tag === "Conflict") {
    for await (const event of log.missing(outcome)) {
      expectTypeOf<typeof event.at>().toEqualTypeOf<number>()
    }
  } else expectTypeOf<typeof outcome.last>().toEqualTypeOf<Seq>()
  // @ts-expect-error what is expected must be said
  await log.append("cart", added, {})
  // @ts-expect-error a revision is no seq
  await log.append("cart", added, { expected: await store.head() })
  // @ts-expect-error the data of another type
  await log.append("cart", { type: "Added", data: { why: "paid" } }, { expected: 0 })
  // @ts-expect-error a type that isn't in the catalogue
  await log.append("cart", { type: "Removed", data: {} }, { expected: 0 })
}

export const keys = async (): Promise<void> => {
  const counts = store.kv("counts", Schema.Int)
  expectTypeOf<Awaited<ReturnType<typeof counts.get>>>().toEqualTypeOf<number | undefined>()
  const put = () => counts.put("a", 1)
  expectTypeOf<Awaited<ReturnType<typeof put>>>().toEqualTypeOf<KeyWritten>()
  const anyway = () => counts.put("a", 1, { expected: "any", meta: { by: "ada" } })
  expectTypeOf<Awaited<ReturnType<typeof anyway>>>().toEqualTypeOf<KeyWritten>()
  const set = () => counts.put("a", 1, { expected: "absent" })
  expectTypeOf<Awaited<ReturnType<typeof set>>>().toEqualTypeOf<KeyWritten | Conflict>()
  // @ts-expect-error no number
  await counts.put("a", "1")
  // @ts-expect-error a date is no JSON
  await store.kv("any").put("a", new Date(0))
  for await (const entry of counts.scan({ prefix: "a" })) expectTypeOf<typeof entry.value>().toEqualTypeOf<number>()
  for await (const change of counts.watch()) {
    if (change._tag === "Put") expectTypeOf<typeof change.value>().toEqualTypeOf<number>()
  }
}

const Total = Projection.make({
  name: "total",
  version: 1,
  events: Cart,
  seed: 0,
  step: (total, event) => event.type === "Added" ? total + event.data.price : 0
})
const Buy = Decider.make({
  name: "buy",
  projection: Total,
  decide: (total, sku: string) =>
    total > 9 ? Result.fail("full" as const) : Result.succeed([{ type: "Added" as const, data: { sku, price: 1 } }])
})
const Prices = ReadModel.make({
  name: "prices",
  version: 1,
  events: Cart.only("Added"),
  keys: (event) => event.data.sku,
  seed: 0,
  step: (_, event) => event.data.price,
  value: Schema.Int
})

export const folding = async (): Promise<void> => {
  expectTypeOf<Awaited<ReturnType<typeof project>>["state"]>().toEqualTypeOf<number>()
  const project = () => store.project(Total, { stream: "cart", asOf: { seq: 1 } })
  // One stream has a seq, which an append may expect; several have none.
  expectTypeOf((await store.project(Total, { stream: "cart" })).seq).toEqualTypeOf<Seq>()
  expectTypeOf((await store.load(Total, { stream: "cart" })).seq).toEqualTypeOf<Seq>()
  expectTypeOf((await store.project(Total, { all: true })).seq).toEqualTypeOf<Seq | undefined>()
  const changed = await store.diff(Total, { all: true, from: { position: 1 }, to: { position: 9 } })
  expectTypeOf(changed.after).toEqualTypeOf<number>()
  expectTypeOf(changed.events).toEqualTypeOf<ReadonlyArray<EventOf<typeof Cart>>>()
  expectTypeOf(changed.patch).toEqualTypeOf<ReadonlyArray<PatchOperation>>()
  // @ts-expect-error between which moments
  await store.diff(Total, { all: true })
  // @ts-expect-error a diff is of some scope
  await store.diff(Total, { from: { position: 1 } })
  // @ts-expect-error no such moment
  await store.diff(Total, { all: true, from: { revision: 1 } })
  // @ts-expect-error a scope is one of four
  await store.project(Total, {})
  const decided = await store.decide(Buy, "cart", "tea")
  expectTypeOf<typeof decided._tag>().toEqualTypeOf<"Decided" | "Conflict">()
  // @ts-expect-error another command
  await store.decide(Buy, "cart", 7)
  expectTypeOf<Awaited<ReturnType<typeof price>>>().toEqualTypeOf<number | undefined>()
  const price = () => store.kv(Prices).get("tea")
  // @ts-expect-error a read model is written by its events alone
  await store.kv(Prices).put("tea", 1)
  for await (const event of store.subscribe({ events: Cart.only("Added"), from: "end" })) {
    expectTypeOf<typeof event.data.price>().toEqualTypeOf<number>()
  }
  // @ts-expect-error where to begin must be said
  store.subscribe({ events: Cart })
  await using run = store.runSubscription({ name: "r", events: Cart, handle: async ({ type }) => type === "Added" })
  const fenced = await run.ended
  expectTypeOf<typeof fenced>().toEqualTypeOf<Awaited<ReturnType<typeof store.runReadModel>["ended"]>>()
}

export const opening = async (): Promise<void> => {
  await using opened = await open("memory:", { signal: AbortSignal.timeout(1) })
  expectTypeOf<typeof opened>().toEqualTypeOf<Store>()
  // @ts-expect-error no option of a store
  await open("memory:", { readonly: true })
  const made: Layer.Layer<EffectStore, StoreError> = layer("memory:")
  expectTypeOf(made).toExtend<Layer.Layer<EffectStore, StoreError>>()
}
