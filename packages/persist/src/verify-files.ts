/** Verifies the files that a store consists of, beneath what its verbs tell, where its backend has a way to. */
import type { Verified } from "@persist/backend-file"
import type { StoreError } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { directoryOf, parseUrl, schemeOf } from "./store-url.ts"

/** Told how many of how many files were looked at. */
export type OnVerified = (done: number, whole: number) => void

/**
 * Looks at every byte of the store that a `file:` URL names, and changes nothing; `undefined` for a URL of another
 * scheme. Fails where there is no store, and where it can't be read which files make it up.
 */
export const verifyFiles = (url: string, onVerified?: OnVerified): Effect.Effect<Verified | undefined, StoreError> =>
  Effect.suspend(() => {
    if (schemeOf(url) !== "file") return Effect.undefined
    const path = Result.flatMap(parseUrl("file", url), directoryOf)
    if (Result.isFailure(path)) return Effect.fail(path.failure)
    return Effect.flatMap(
      Effect.promise(() => import("@persist/backend-file")),
      ({ verify }) => verify(path.success, onVerified)
    )
  })
