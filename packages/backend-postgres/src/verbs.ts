/** The reading verbs as effects: one effect a page. */
import type { BackendError, BackendShape } from "@persist/core"
import * as Effect from "effect/Effect"
import { classify } from "./error.ts"
import type { KvReads } from "./read-kv.ts"
import type { LogReads } from "./read.ts"

/** A verb from its promise; fails as `classify` says. */
export const verb = <Argument, A>(
  operation: string,
  run: (argument: Argument) => Promise<A>
): (argument: Argument) => Effect.Effect<A, BackendError> =>
(argument) => Effect.tryPromise({ try: () => run(argument), catch: (cause) => classify(operation, cause) })

/** All verbs that read. */
export const effectsOf = (
  log: LogReads,
  kv: KvReads
): Omit<BackendShape, "about" | "commit" | "resolve" | "changes"> => ({
  readStream: verb("readStream", log.readStream),
  readAll: verb("readAll", log.readAll),
  streams: verb("streams", log.streams),
  get: verb("get", kv.get),
  scan: verb("scan", kv.scan),
  changed: verb("changed", kv.changed),
  namespaces: verb("namespaces", kv.namespaces),
  head: verb("head", log.head)(undefined)
})
