/** Appends one event in a span, which it sends to a collector: `checkout.ts STORE COLLECTOR NAME`. */
import { makeStore } from "@persist/core"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Otlp from "effect/observability/Otlp"
import { openUrl } from "persist/effect"

const [url = "", baseUrl = "", to = ""] = process.argv.slice(2)

const checkout = Effect.gen(function*() {
  const store = yield* makeStore(yield* openUrl(url))
  yield* store.log().append(`order/${to}`, { type: "Paid", data: { to } }, { expected: 0 })
}).pipe(Effect.scoped, Effect.withSpan("checkout"))

const collector = Otlp.layerJson({ baseUrl, resource: { serviceName: "shop" } })

await Effect.runPromise(Effect.provide(checkout, Layer.provide(collector, FetchHttpClient.layer)))
