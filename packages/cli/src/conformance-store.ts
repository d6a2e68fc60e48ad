/** The stores that the laws are asked of: empty ones of a kind, never one that somebody uses. */
import type { Fixture } from "@persist/conformance"
import type { BackendShape, StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import type { Scope } from "effect/Scope"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openUrl } from "persist/effect"
import { type Failure, misuse } from "./failure.ts"

/** The stores of a URL's kind; `Failure` where only a module can say how an empty one is made. */
export const fixtureOf = (url: string): Effect.Effect<Fixture, Failure> => {
  const [, scheme, , query = ""] = /^([a-z][a-z0-9+.-]*):([^?]*)(\?.*)?$/is.exec(url) ?? []
  if (/^(memory|sqlite::memory):/i.test(url)) {
    return Effect.succeed({ name: url, place: Effect.succeed({ open: openUrl(url) }) })
  }
  const kind = scheme?.toLowerCase()
  return kind === "sqlite" || kind === "file"
    ? Effect.succeed({ name: `${kind}:${query}`, place: Effect.map(emptyDirectory, (at) => onDisk(kind, at, query)) })
    : Effect.fail(
      misuse(
        "store",
        "no empty store of this kind can be made for the laws",
        "give memory:, sqlite:, file:, or --module with a fixture"
      )
    )
}

const onDisk = (scheme: string, directory: string, query: string): {
  readonly open: Effect.Effect<BackendShape, StoreError, Scope>
} => ({ open: openUrl(`${scheme}:${encodeURI(join(directory, "store")).replaceAll("?", "%3F")}${query}`) })

const emptyDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "persist-laws-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)
