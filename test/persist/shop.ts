/** A small shop, as the tests of the umbrella use it: its events, what they add up to, and who may sell. */
import { Catalogue, Decider, Projection, ReadModel, Result, Schema } from "persist"

/** What happens to an item. */
export const Item = Catalogue.make({
  Stocked: Schema.Struct({ count: Schema.Int }),
  Sold: Schema.Struct({ count: Schema.Int, to: Schema.String })
})

/** How many of an item are left. */
export const Left = Projection.make({
  name: "left",
  version: 1,
  events: Item,
  seed: 0,
  step: (left, event) => event.type === "Stocked" ? left + event.data.count : left - event.data.count
})

/** Sells what is there; a failure says how many there are. */
export const Sale = Decider.make({
  name: "sale",
  projection: Left,
  decide: (left, command: { readonly count: number; readonly to: string }) =>
    left < command.count
      ? Result.fail({ _tag: "SoldOut" as const, left })
      : Result.succeed([{ type: "Sold" as const, data: command }])
})

/** How many items each buyer has. */
export const Buyers = ReadModel.make({
  name: "buyers",
  version: 1,
  events: Item.only("Sold"),
  keys: (event) => event.data.to,
  seed: 0,
  step: (count, event) => count + event.data.count,
  value: Schema.Int
})

/** Stocks so many. */
export const stocked = (count: number) => ({ type: "Stocked" as const, data: { count } })

/** Sells so many to somebody. */
export const sold = (count: number, to: string) => ({ type: "Sold" as const, data: { count, to } })
