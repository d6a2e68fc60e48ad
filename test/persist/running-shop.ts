/** A shop with something in it, whose processors are in a hurry, and waiting for what they bring about. */
import { open, type Store } from "persist"
import { Item, sold, stocked } from "./shop.ts"

/** How runs behave that tests wait for. */
export const quick = { interval: 5, patience: 300, label: "here" }

/** A store with three events in its log. */
export const stockedShop = async (): Promise<Store> => {
  const store = await open("memory:")
  await store.log(Item).append("tea", [stocked(5), sold(1, "ada"), sold(2, "bob")], { expected: 0 })
  return store
}

/** Asks until it is so. */
export const until = async (ask: () => Promise<boolean>): Promise<void> => {
  while (!await ask()) await new Promise(setImmediate)
}
