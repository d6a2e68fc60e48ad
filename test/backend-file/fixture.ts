/** File stores for the conformance kit: each place is a directory of its own. */
import type { Config } from "@persist/backend-file"
import { makeOn } from "@persist/backend-file/layer"
import type { Fixture } from "@persist/conformance"
import * as Effect from "effect/Effect"
import { makeFuse, newPath } from "./place.ts"

const fixtureOf = (name: string, config: Omit<Config, "path">): Fixture => ({
  name,
  place: Effect.map(newPath, (path) => {
    const { arm, disk } = makeFuse()
    return { open: makeOn(disk, { ...config, path }), breakNextCommit: Effect.sync(arm) }
  })
})

/** A store in a directory, with the default durability; a commit can be made to break in the middle. */
export const file: Fixture = fixtureOf("file", {})

/** The same with segments so small that every few commits begin another, and the index gets another run. */
export const smallSegments: Fixture = fixtureOf("file, small segments", { segmentBytes: 1024 })
