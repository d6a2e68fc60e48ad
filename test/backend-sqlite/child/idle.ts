/** Listens to a store that it never closes and does nothing else: `idle.ts PATH`. Ends by itself. */
import { make } from "@persist/backend-sqlite"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { letGo } from "./ready.ts"

const [path = ""] = process.argv.slice(2)

await letGo()
const backend = await Effect.runPromise(Scope.provide(make({ path }), Scope.makeUnsafe()))
Effect.runFork(Stream.runForEach(backend.changes, () => Effect.sync(() => console.log("listening"))))
