/** How an OpenTelemetry collector is spoken to; that it doesn't take what is sent is told once. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import { say } from "./output.ts"

/** Sends what is sent as fetch does. Neither address nor headers are told: they may hold a password. */
export const layerCollector: Layer.Layer<HttpClient.HttpClient> = Layer.effect(HttpClient.HttpClient)(
  Effect.map(HttpClient.HttpClient, (client) => {
    let told = false
    const tell = (error: unknown) => {
      if (told) return Effect.void
      told = true
      return say(`warning: spans and metrics aren't sent: the collector ${whyNot(error)}; what runs goes on without`)
    }
    return HttpClient.transform(client, (response) =>
      Effect.tap(Effect.tapError(response, tell), ({ status }) => {
        if (status >= 300) return tell(status)
        if (!told) return Effect.void
        told = false
        return say("spans and metrics are sent again")
      }))
  })
).pipe(Layer.provide(FetchHttpClient.layer))

const whyNot = (error: unknown): string => {
  if (typeof error === "number") return `answers ${error}`
  const cause = HttpClientError.isHttpClientError(error) ? error.reason.cause : error
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const code = inner instanceof Error && "code" in inner ? ` (${String(inner.code)})` : ""
  return `can't be reached${code}`
}
