/** What the compiler knows of subscriptions and read models: checked by `tsc`, never run. */
import {
  anyEvents,
  Catalogue,
  catchUp,
  type CaughtUp,
  type EventOf,
  type Fenced,
  type Json,
  type Page,
  ReadModel,
  runReadModel,
  runSubscription,
  runSubscriptionPages,
  type StoreError,
  type StoreShape,
  subscribe,
  subscribePages
} from "@persist/core"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { expectTypeOf } from "vitest"

declare const store: StoreShape

class Refused extends Data.TaggedError("Refused")<{ readonly n: number }> {}

const Shop = Catalogue.make({
  Placed: Schema.Struct({ sku: Schema.String, n: Schema.Int }),
  Paid: Schema.Struct({ cents: Schema.Int })
})

// An event's data follows from its type, in streams, pages and handlers.
const shopStream = subscribe(store, { events: Shop, from: "start", types: ["Paid"] })
expectTypeOf(shopStream).toEqualTypeOf<Stream.Stream<EventOf<typeof Shop>, StoreError>>()
expectTypeOf(subscribePages(store, { events: Shop, from: { checkpoint: "mail" } }))
  .toEqualTypeOf<Stream.Stream<Page<EventOf<typeof Shop>>, StoreError>>()

const handling = runSubscription(store, {
  name: "mail",
  events: Shop,
  handle: (event) => {
    if (event.type === "Paid") expectTypeOf(event.data).toEqualTypeOf<{ readonly cents: number }>()
    else expectTypeOf(event.data.sku).toEqualTypeOf<string>()
    return Effect.fail(new Refused({ n: 1 }))
  }
})
expectTypeOf(handling).toEqualTypeOf<Effect.Effect<Fenced, StoreError | Refused>>()

const paging = runSubscriptionPages(store, {
  name: "all",
  events: anyEvents,
  handle: ({ items }) => {
    for (const { data } of items) expectTypeOf(data).toEqualTypeOf<Json | Uint8Array>()
    return Effect.void
  }
})
expectTypeOf(paging).toEqualTypeOf<Effect.Effect<Fenced, StoreError>>()

const refused = [
  // @ts-expect-error: the catalogue has no such type
  subscribe(store, { events: Shop, from: "start", types: ["Lost"] }),
  // @ts-expect-error: where it begins must be said
  subscribe(store, { events: Shop }),
  // @ts-expect-error: a subscription without a name could not go on after a restart
  runSubscription(store, { events: Shop, handle: () => Effect.void })
]
expectTypeOf(refused).toBeArray()

// A read model's state is what its schema says; the rest follows.
const sold = ReadModel.make({
  name: "sold",
  version: 1,
  events: Shop,
  value: Schema.Struct({ n: Schema.Int }),
  seed: { n: 0 },
  keys: (event) => event.type === "Placed" ? event.data.sku : [],
  step: (state, event, key) => {
    expectTypeOf(state).toEqualTypeOf<{ readonly n: number }>()
    expectTypeOf(key).toEqualTypeOf<string>()
    return event.type === "Placed" ? { n: state.n + event.data.n } : undefined
  }
})
expectTypeOf(sold).toEqualTypeOf<ReadModel<typeof Shop, { readonly n: number }>>()
expectTypeOf(catchUp(store, sold)).toEqualTypeOf<Effect.Effect<CaughtUp | Fenced, StoreError>>()
expectTypeOf(runReadModel(store, sold)).toEqualTypeOf<Effect.Effect<Fenced, StoreError>>()
expectTypeOf(sold.kv(store).scan()).toExtend<Stream.Stream<{ readonly value: { readonly n: number } }, StoreError>>()
// Only the read model itself writes its states.
expectTypeOf(sold.kv(store)).not.toHaveProperty("put")

ReadModel.make({
  name: "sold",
  version: 1,
  events: Shop,
  value: Schema.Int,
  // @ts-expect-error: the seed doesn't fit the schema
  seed: "none",
  keys: () => "k",
  step: (n) => n + 1
})
