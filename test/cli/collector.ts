/** A collector as OpenTelemetry has them: it takes in what is sent by OTLP/HTTP as JSON. */
import { once } from "node:events"
import { createServer } from "node:http"
import { json } from "node:stream/consumers"

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number | string; readonly doubleValue?: number }
}

interface Point {
  readonly attributes: ReadonlyArray<Attribute>
  readonly asDouble?: number
}

interface Resource {
  readonly attributes: ReadonlyArray<Attribute>
}

/** A span as it was sent, of one service. */
export interface SentSpan {
  readonly service: string
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly links: ReadonlyArray<{ readonly traceId: string; readonly spanId: string }>
}

/** A value of a metric as it was sent, of one process. */
export interface SentValue {
  readonly instance: string
  readonly name: string
  readonly labels: { readonly [name: string]: string | undefined }
  readonly value: number
}

interface Sent {
  readonly resourceSpans?: ReadonlyArray<{
    readonly resource: Resource
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Omit<SentSpan, "service">> }>
  }>
  readonly resourceMetrics?: ReadonlyArray<{
    readonly resource: Resource
    readonly scopeMetrics: ReadonlyArray<{
      readonly metrics: ReadonlyArray<{
        readonly name: string
        readonly gauge?: { readonly dataPoints: ReadonlyArray<Point> }
        readonly sum?: { readonly dataPoints: ReadonlyArray<Point> }
      }>
    }>
  }>
}

/** What has come so far. */
export interface Received {
  readonly spans: Array<SentSpan>
  /** Of each process, all values of the last time it sent any. */
  readonly values: Map<string, ReadonlyArray<SentValue>>
}

/** A running collector. */
export interface Collector extends AsyncDisposable {
  readonly url: string
  /** Waits until what has come is as it should be, looking whenever something comes. */
  readonly until: <A>(found: (received: Received) => A | undefined) => Promise<A>
}

/** Starts a collector on a port of its own. */
export const startCollector = async (): Promise<Collector> => {
  const received: Received = { spans: [], values: new Map() }
  let waiting: Array<() => void> = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      take(received, body as Sent) // By the path it's posted to.
      response.end("{}")
      const woken = waiting
      waiting = []
      for (const wake of woken) wake()
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("no port")
  return {
    url: `http://127.0.0.1:${address.port}`,
    until: async (found) => {
      for (;;) {
        const answer = found(received)
        if (answer !== undefined) return answer
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    }
  }
}

const take = (received: Received, { resourceMetrics = [], resourceSpans = [] }: Sent): void => {
  for (const { resource, scopeSpans } of resourceSpans) {
    const { "service.name": service = "" } = textsOf(resource.attributes)
    received.spans.push(...scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service }))))
  }
  for (const { resource, scopeMetrics } of resourceMetrics) {
    const { "service.instance.id": instance = "" } = textsOf(resource.attributes)
    received.values.set(
      instance,
      scopeMetrics.flatMap(({ metrics }) =>
        metrics.flatMap(({ gauge, name, sum }) =>
          [...gauge?.dataPoints ?? [], ...sum?.dataPoints ?? []].map(({ asDouble = Number.NaN, attributes }) => ({
            instance,
            name,
            labels: textsOf(attributes),
            value: asDouble
          }))
        )
      )
    )
  }
}

const textsOf = (attributes: ReadonlyArray<Attribute>): { readonly [name: string]: string | undefined } =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]))
