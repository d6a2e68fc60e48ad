/** Another incarnation by URL: what the scheme brings is called, and what it doesn't is refused. */
import { make as makeMemory } from "@persist/backend-memory"
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Invalid, open, type Scheme, Unsupported } from "persist"
import { renewIncarnation } from "persist/effect"
import { expect, it } from "vitest"

const refusal = (url: string) => Effect.runPromise(Effect.flip(renewIncarnation(url)))

it.each(["sqlite", "file"])("of a store on disk is that of every later handle: %s", async (scheme) => {
  const directory = mkdtempSync(join(tmpdir(), "persist-renew-"))
  const url = `${scheme}:${join(directory, "store")}`
  try {
    const before = await open(url)
    await before.close()
    const renewed = await Effect.runPromise(renewIncarnation(url))
    expect(renewed).not.toBe(before.about.incarnation)
    await using after = await open(url)
    expect(after.about.incarnation).toBe(renewed)
    expect(await refusal(`${url}?readonly=true`)).toMatchObject({ _tag: "Invalid", field: "readonly" })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

it("is what the scheme makes of the URL", async () => {
  const own: Scheme = Object.assign(() => makeMemory(), { renew: ({ path }: { path: string }) => Effect.succeed(path) })
  expect(await Effect.runPromise(renewIncarnation("own:another", { own }))).toBe("another")
})

it("is refused where the scheme knows no such thing, and for what is no URL of a store", async () => {
  const unsupported = await refusal("memory:")
  expect(unsupported).toBeInstanceOf(Unsupported)
  expect(unsupported.message).toBe(
    "memory: another incarnation is not supported; make a new store and import what is to be in it"
  )
  for (const url of ["", "app.db", "nowhere:app.db", "sqlite:%"]) expect(await refusal(url)).toBeInstanceOf(Invalid)
})
