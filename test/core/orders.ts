/** A small catalogue of orders, one of its types in its third version, and events as a store would hold them. */
import { Catalogue, type Described, type Invalid, Position, Seq, type StoredEvent } from "@persist/core"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

export const PaidV1 = Schema.Struct({ amount: Schema.Finite })
export const PaidV2 = Schema.Struct({ cents: Schema.Int })
export const PaidV3 = Schema.Struct({ cents: Schema.Int, currency: Schema.Literals(["EUR", "USD"]) })

export const Placed = Schema.Struct({ sku: Schema.String, quantity: Schema.Int })
export const Paid = Catalogue.versions(PaidV1)
  .to(PaidV2, ({ amount }) => ({ cents: Math.round(amount * 100) }))
  .to(PaidV3, ({ cents }) => ({ cents, currency: "EUR" as const }))

export const definitions = { OrderPlaced: Placed, OrderPaid: Paid }
export const Shop = Catalogue.make(definitions)
export const placed = { type: "OrderPlaced", data: { sku: "a", quantity: 1 } } as const

export const stored = (type: string, data: StoredEvent["data"], meta?: string): StoredEvent => ({
  stream: "order-1",
  seq: Seq(3),
  position: Position(7),
  type,
  at: 5,
  data,
  meta,
  id: "e-1"
})

/** What a misguided caller passes that no type allows. */
interface Untyped {
  encode(field: string, input: unknown): Result.Result<unknown, Invalid>
}
export const refused = (catalogue: Described & Untyped, input: unknown) =>
  Result.getOrThrow(Result.flip(catalogue.encode("events[0]", input)))
export const failure = <A, E>(result: Result.Result<A, E>) => Result.getOrThrow(Result.flip(result))
