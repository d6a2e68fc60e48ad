/** persist's kv through Promises and through Effect. */
import type { StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Store } from "persist"
import { checkCount } from "../payload.ts"
import { byEffect } from "./persist-log.ts"
import { byPromise, checkFound, checkWon, type KvSide } from "./side.ts"

const namespace = "orders"

/** The kv through Promises. */
export const promiseKvSide = (store: Store): KvSide => {
  const kv = store.kv(namespace)
  return {
    get: byPromise((key) => kv.get(key), checkFound),
    put: byPromise(({ key, value }) => kv.put(key, value)),
    cas: byPromise(async ({ key, value }) => {
      const found = await kv.entry(key)
      return await kv.put(key, value, { expected: found?.revision ?? "absent" })
    }, ({ _tag }) => checkWon(_tag !== "Conflict")),
    scan: byPromise(async ({ from, limit }) =>
      checkCount((await kv.scan({ gte: from, limit }).toArray()).length, limit)
    )
  }
}

/** The kv through Effect. */
export const effectKvSide = (store: StoreShape): KvSide => {
  const kv = store.kv(namespace)
  return {
    get: byEffect((key) => kv.get(key), (found) => checkFound(Option.getOrUndefined(found))),
    put: byEffect(({ key, value }) => kv.put(key, value)),
    cas: byEffect(({ key, value }) =>
      Effect.flatMap(
        kv.entry(key),
        (found) =>
          kv.put(key, value, { expected: Option.match(found, { onNone: () => "absent", onSome: (e) => e.revision }) })
      ), ({ _tag }) => checkWon(_tag !== "Conflict")),
    scan: byEffect(({ from, limit }) =>
      Effect.map(Stream.runCollect(kv.scan({ gte: from, limit })), (found) => checkCount(found.length, limit))
    )
  }
}
