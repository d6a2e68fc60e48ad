/** The sides of the bench fail where they did less than they were asked for: a figure of half the work is none. */
import * as Effect from "effect/Effect"
import { open as openStore, type Store } from "persist"
import { afterAll, describe, expect, test } from "vitest"
import { makePlaces } from "../../bench/harness/place.ts"
import { orderOf, placed } from "../../bench/payload.ts"
import { nextTurn } from "../../bench/sides/contend.ts"
import { effectFeedSide, promiseFeedSide } from "../../bench/sides/persist-feed.ts"
import { byEffect } from "../../bench/sides/persist-log.ts"
import { byPromise, checkFound, type Side } from "../../bench/sides/side.ts"
import { type Entry, sides } from "../../bench/sides/sides.ts"

const places = makePlaces()
afterAll(places.remove)

const entries = (["memory", "sqlite", "file"] as const).flatMap((store) =>
  sides[store].filter(({ kind }) => kind !== "peer").map((entry) => ({
    store,
    ...entry,
    title: `${entry.name} on ${store}`
  }))
)

type Where = (typeof entries)[number]

const opened = async ({ open, store }: Pick<Where, "open" | "store"> & Pick<Entry, "open">): Promise<Side> => {
  const [place] = await places.place(store)
  const side = await open(place)
  await side.append?.(1, 10, () => ({ stream: "orders", orders: [orderOf(1)] }))
  return side
}

const putHere = async ({ put }: Side) => await put?.(1, 1, () => ({ key: "here", value: orderOf(1) }))

const having = (verb: keyof Side) => async (where: Where): Promise<boolean> => {
  const side = await opened(where)
  await side.close()
  return side[verb] !== undefined
}

describe.each(entries)("$title", (where) => {
  test("a key that was never put isn't taken for one", async () => {
    const side = await opened(where)
    await putHere(side)
    await side.get?.(1, 1, () => "here")
    await expect(side.get?.(1, 1, () => "elsewhere")).rejects.toThrow("nothing is found")
    await side.close()
  })

  test("reading all, and a read model, tell of events that aren't there", async () => {
    const side = await opened(where)
    for (const verb of ["readAll", "rebuild"] as const) {
      if (side[verb] === undefined) continue
      await side[verb](10)
      await expect(side[verb](11)).rejects.toThrow("read 10 events where there are 11")
    }
    await side.close()
  })
})

const which = async (verb: keyof Side, kinds: ReadonlyArray<string>): Promise<ReadonlyArray<Where>> => {
  const able = await Promise.all(entries.map(having(verb)))
  return entries.filter(({ kind }, i) => able[i] === true && kinds.includes(kind))
}

const feeds = { promises: promiseFeedSide, effects: (store: Store) => effectFeedSide(store.effect) }

test.each(["promises", "effects"] as const)("a subscription by %s that ends too early hasn't caught up", async (by) => {
  await using store = await openStore("memory:")
  const events = Array.from({ length: 10 }, (_, n) => ({ type: placed, data: orderOf(n) }))
  await store.log().append("orders", events, { expected: "any" })
  const pass = feeds[by](store).catchUp?.(12)
  while (((await store.readCheckpoint("handler"))?.position ?? 0) < 10) await nextTurn()
  // Whoever runs under the name is fenced where it saves next.
  await store.resetReader("handler")
  await store.log().append("orders", events.slice(0, 1), { expected: "any" })
  await expect(pass).rejects.toThrow("read 11 events where there are 12")
})

test("a compare-and-set that loses fails", async () => {
  // In memory by hand nothing comes between.
  const all = (await which("cas", ["ours", "raw"])).filter(({ kind, store }) => kind === "ours" || store !== "memory")
  expect(all).toHaveLength(7)
  for (const where of all) {
    const side = await opened(where)
    await putHere(side)
    await side.cas?.(1, 2, () => ({ key: "here", value: orderOf(2) }))
    await expect(side.cas?.(2, 1, () => ({ key: "here", value: orderOf(3) }))).rejects.toThrow("lost")
    await side.close()
  }
})

test("both manners of repeating look at every answer", async () => {
  const answer = (_client: number, call: number) => call === 2 ? undefined : call
  for (const clients of [1, 3]) {
    const promises = byPromise(async (found: number | undefined) => found, checkFound)
    const effects = byEffect((found: number | undefined) => Effect.succeed(found), checkFound)
    for (const repeat of [promises, effects]) {
      await repeat(clients, 2, answer)
      await expect(repeat(clients, 3, answer)).rejects.toThrow("nothing is found")
    }
  }
})
