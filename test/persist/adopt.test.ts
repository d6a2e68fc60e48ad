/** After a restore with Promises: a store in a file that was given another incarnation beneath a run. */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { open } from "persist"
import { renewIncarnation } from "persist/effect"
import { adopt, listStale, run, subscription, whenProcessed } from "persist/processors"
import { expect, it } from "vitest"
import { quick } from "./running-shop.ts"
import { Item, stocked } from "./shop.ts"

it("ends the run, and what was adopted goes on with what comes", async () => {
  const directory = mkdtempSync(join(tmpdir(), "persist-adopt-"))
  const url = `sqlite:${join(directory, "store.db")}`
  const seen: Array<number> = []
  const noting = subscription({ name: "noting", events: Item, handle: ({ position }) => void seen.push(position) })
  try {
    const before = await open(url)
    const { position } = await before.log(Item).append("tea", stocked(5), { expected: "any" })
    const running = run(before, [noting], quick)
    await whenProcessed(before, noting, position)
    await Effect.runPromise(renewIncarnation(url))
    await expect(running.ended).rejects.toMatchObject({ _tag: "Unavailable", reopen: true })
    await before.close()
    await using store = await open(url)
    await expect(whenProcessed(store, noting, position)).rejects.toMatchObject({
      _tag: "Corrupt",
      remedy: expect.stringContaining("adopt it (persist projections adopt noting)")
    })
    expect(await listStale(store)).toMatchObject([{ name: "noting", needs: "adopt" }])
    expect(await adopt(store, "noting")).toMatchObject({ partitions: [{ reader: "noting" }] })
    const next = await store.log(Item).append("tea", stocked(2), { expected: "any" })
    await using _ = run(store, [noting], quick)
    await whenProcessed(store, noting, next.position)
    expect(seen).toEqual([position, next.position])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
