/** The warehouse: reserves what is there for whoever asks first, and refuses the rest. */
import { workflow } from "@persist/runner"
import { Schema } from "persist/effect"
import { productStream, Shop } from "./events.ts"

/**
 * One instance for each product, which knows how much of it may still be promised. All requests for a product pass
 * through its instance one after the other, wherever that runs, so what is available never falls below zero.
 */
export const warehouse = workflow({
  name: "warehouse",
  events: Shop.only("StockReceived", "ReservationAsked", "StockReleased"),
  partitions: 4,
  correlate: ({ data }) => data.product,
  state: Schema.Struct({ available: Schema.Natural }),
  seed: { available: 0 },
  commands: Shop,
  step: ({ available }, happened) => {
    switch (happened.type) {
      case "StockReceived":
      case "StockReleased":
        return { state: { available: available + happened.data.quantity } }
      case "ReservationAsked": {
        const { data } = happened
        const isThere = data.quantity <= available
        const type = isThere ? "StockReserved" as const : "ReservationRefused" as const
        return {
          state: { available: isThere ? available - data.quantity : available },
          commands: [{ stream: productStream(data.product), events: [{ type, data }] }]
        }
      }
      case "$timer":
        return { state: { available } }
    }
  }
})
