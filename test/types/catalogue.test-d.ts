/** What the compiler knows of a catalogue: checked by `tsc`, never run. */
import {
  anyEvents,
  Catalogue,
  type Codec,
  type Event,
  type EventInput,
  type EventOf,
  type InputOf,
  type Json,
  schemaCodec,
  type StoredEvent,
  type UnknownEvent
} from "@persist/core"
import type * as Context from "effect/Context"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"

declare const stored: StoredEvent
declare const needy: Schema.Codec<number, string, Context.Service<"Rate", number>>

const PaidV1 = Schema.Struct({ amount: Schema.Finite })
const Shop = Catalogue.make({
  OrderPlaced: Schema.Struct({ sku: Schema.String, quantity: Schema.Int, at: Schema.optionalKey(Schema.Date) }),
  OrderPaid: Catalogue.versions(PaidV1)
    .to(Schema.Struct({ cents: Schema.Int }), (old) => {
      expectTypeOf(old).toEqualTypeOf<{ readonly amount: number }>()
      return { cents: old.amount * 100 }
    })
    .to(Schema.Struct({ cents: Schema.BigInt }), (old) => {
      expectTypeOf(old).toEqualTypeOf<{ readonly cents: number }>()
      return { cents: BigInt(old.cents) }
    })
})
const Open = Catalogue.make({ Opened: Schema.String, Closed: Schema.Null }, { unknown: "pass" })

type Paid = { readonly cents: bigint }
type Placed = { readonly sku: string; readonly quantity: number; readonly at?: Date }

// Events: a union by type, in which the data follows from the tag.
expectTypeOf<EventOf<typeof Shop>>().toEqualTypeOf<Event<"OrderPlaced", Placed> | Event<"OrderPaid", Paid>>()
expectTypeOf<InputOf<typeof Shop>>().toEqualTypeOf<EventInput<"OrderPlaced", Placed> | EventInput<"OrderPaid", Paid>>()
expectTypeOf(Shop.types).toEqualTypeOf<ReadonlyArray<"OrderPlaced" | "OrderPaid">>()
expectTypeOf(Shop.unknown).toEqualTypeOf<"fail">()
expectTypeOf(Shop.schemas.OrderPaid.Type).toEqualTypeOf<Paid>()

export const total = (cents: bigint, event: EventOf<typeof Shop>): bigint => {
  switch (event.type) {
    case "OrderPaid":
      return cents + event.data.cents
    case "OrderPlaced":
      return event.data.at === undefined ? cents : 0n
  }
}

declare const event: EventOf<typeof Shop>
// @ts-expect-error -- no such type
export const none = event.type === "OrderPiad"
// @ts-expect-error -- the data isn't known before the type is
export const early = event.data.cents

// An upcaster must give what the next schema asks for, and take what the last one gave.
// @ts-expect-error -- cents is no string
Catalogue.versions(PaidV1).to(Schema.Struct({ cents: Schema.Int }), () => ({ cents: "1" }))
// @ts-expect-error -- there was no price
Catalogue.versions(PaidV1).to(Schema.Int, ({ price }) => price)

// Where unknown types pass, they are told apart by `unknown`.
declare const open: EventOf<typeof Open>
if (open.unknown === true) {
  expectTypeOf(open).toEqualTypeOf<UnknownEvent>()
  expectTypeOf(open.data).toEqualTypeOf<Json | Uint8Array>()
} else if (open.type === "Opened") expectTypeOf(open.data).toEqualTypeOf<string>()
else expectTypeOf(open.data).toEqualTypeOf<null>()
// @ts-expect-error -- it might be an unknown type of any data
export const unsure: string | null = open.data

// Code for any catalogue needs no annotations where it's called.
declare const append: <C extends Catalogue>(catalogue: C, events: ReadonlyArray<InputOf<C>>) => void
declare const fold: <C extends Catalogue, S>(catalogue: C, seed: S, step: (state: S, event: EventOf<C>) => S) => S

append(Shop, [{ type: "OrderPlaced", data: { sku: "a", quantity: 1 } }, { type: "OrderPaid", data: { cents: 1n } }])
// @ts-expect-error -- the data of another type
append(Shop, [{ type: "OrderPlaced", data: { cents: 1n } }])
// @ts-expect-error -- a property the schema doesn't name
append(Shop, [{ type: "OrderPaid", data: { cents: 1n, currency: "EUR" } }])
// @ts-expect-error -- no such type
append(Shop, [{ type: "OrderPiad", data: { cents: 1n } }])
// @ts-expect-error -- meta is JSON
append(Shop, [{ type: "OrderPaid", data: { cents: 1n }, meta: { by: 1n } }])
append(Open, [{ type: "Closed", data: null, meta: { by: ["ann"] }, at: 5, id: "e" }])
append(anyEvents, [{ type: "Anything", data: { a: [1, null] } }, { type: "Bytes", data: new Uint8Array() }])
// @ts-expect-error -- neither JSON nor bytes
append(anyEvents, [{ type: "Anything", data: new Date() }])

expectTypeOf(fold(Shop, 0n, total)).toEqualTypeOf<bigint>()
fold(Shop, 0, (count, { type }) => type === "OrderPaid" ? count + 1 : count)
fold(anyEvents, "", (_, { data }) => JSON.stringify(data))

// Inside such code, a catalogue decodes to its own events.
export const decodeOne = <C extends Catalogue>(catalogue: C): Result.Result<EventOf<C> | undefined, unknown> =>
  catalogue.decode(stored)
expectTypeOf(decodeOne(Shop)).toEqualTypeOf<Result.Result<EventOf<typeof Shop> | undefined, unknown>>()

// Narrowed and merged catalogues are as precise.
const Payments = Shop.only("OrderPaid")
expectTypeOf<EventOf<typeof Payments>>().toEqualTypeOf<Event<"OrderPaid", Paid>>()
// @ts-expect-error -- no such type
Shop.only("OrderPiad")
const Both = Catalogue.merge(Shop, Catalogue.make({ Closed: Schema.Null }))
expectTypeOf<EventOf<typeof Both>>().toEqualTypeOf<EventOf<typeof Shop> | Event<"Closed", null>>()
append(Both, [{ type: "Closed", data: null }, { type: "OrderPaid", data: { cents: 1n } }])

// Schemas that need services have no place in a store.
// @ts-expect-error -- needs a Rate
schemaCodec(needy)
// @ts-expect-error -- needs a Rate
Catalogue.make({ Priced: needy })
expectTypeOf(schemaCodec(Schema.Struct({ a: Schema.Date }))).toEqualTypeOf<Codec<{ readonly a: Date }>>()
