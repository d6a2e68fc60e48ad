/** persist on each of its stores, through Promises and through Effect. */
import { join } from "node:path"
import { open } from "persist"
import { followElsewhere } from "./persist-elsewhere.ts"
import { extrasOf } from "./persist-extras.ts"
import { effectFeedSide, promiseFeedSide } from "./persist-feed.ts"
import { importSide } from "./persist-import.ts"
import { effectKvSide, promiseKvSide } from "./persist-kv.ts"
import { effectLogSide, promiseLogSide } from "./persist-log.ts"
import { processorSide } from "./persist-processors.ts"
import { databaseBytes } from "./raw-postgres.ts"
import { fileBytes, type OpenSide, type Place } from "./side.ts"
import { wholeSide } from "./whole.ts"

/** The stores that the bench knows. */
export const storeNames = ["sqlite", "file", "postgres", "memory"] as const

/** One of them. */
export type StoreName = (typeof storeNames)[number]

/** What its side through Promises is called. */
export const throughPromises = "persist"

/** The URL of a store at a place. */
export const storeUrl = (name: StoreName, { directory, url }: Place): string =>
  ({
    sqlite: `sqlite:${join(directory, "persist.db")}`,
    postgres: url,
    file: `file:${join(directory, "persist")}`,
    memory: "memory:"
  })[name]

const bytesOf = async (name: StoreName, { directory, url }: Place): Promise<number> => {
  return name === "postgres" ? await databaseBytes(url) : await fileBytes(directory)
}

/** Opens persist's store of a name through Promises. */
export const openPromise = (name: StoreName): OpenSide => async (place) => {
  const url = storeUrl(name, place)
  const store = await open(url)
  return {
    ...promiseLogSide(store),
    ...promiseFeedSide(store),
    ...promiseKvSide(store),
    head: store.head,
    close: store.close,
    ...name === "memory" ? { extras: extrasOf(store) } : {
      ...wholeSide({
        store: name,
        name: throughPromises,
        place,
        open: openPromise(name),
        opener: ["persist", { ...place, url }],
        close: store.close
      }),
      ...followElsewhere(name === "file" ? `${url}?readonly=true` : url),
      ...importSide(name, place),
      bytes: () => bytesOf(name, place)
    }
  }
}

/** The same store through Effect. */
export const openEffect = (name: StoreName): OpenSide => async (place) => {
  const { close, effect: store } = await open(storeUrl(name, place))
  return { ...effectLogSide(store), ...effectFeedSide(store), ...effectKvSide(store), ...processorSide(store), close }
}
