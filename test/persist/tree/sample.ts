/** A store with a little of everything, and its tree, for people to edit. */
import { open, type Store } from "persist"
import { exportTree } from "persist/tree"
import { makePlace, type Place } from "./place.ts"

/** Makes the store and the tree. */
export const exported = async (): Promise<{ readonly store: Store; readonly place: Place } & AsyncDisposable> => {
  const store = await open("memory:")
  await store.kv("settings").put("theme", { dark: true, accent: "teal" })
  await store.kv("settings").put("size", 20, { meta: { by: "ada" } })
  await store.kv("icons").put("logo", new Uint8Array([0, 255]))
  await store.log().append("order/1", [{ type: "Placed", data: { total: 12 } }, { type: "Paid", data: null }], {
    expected: 0
  })
  const place = makePlace()
  await exportTree(store, place.path)
  const close = async () => {
    place[Symbol.dispose]()
    await store.close()
  }
  return { store, place, [Symbol.asyncDispose]: close }
}

/** One of its values' files. */
export const theme = "kv/settings/theme.json"

/** The file of its stream, of two events. */
export const order = "log/order/1.ndjson"

/** A line for a third one. */
export const shipped = `{"seq":3,"type":"Shipped","data":{"by":"post"}}\n`
