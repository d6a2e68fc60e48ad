/** Sending spans and metrics to an OpenTelemetry collector, set up as its environment variables say. */
import * as Flag from "effect/cli/Flag"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import { layerCollector } from "./collector.ts"
import { type Failure, misuse } from "./failure.ts"
import { version } from "./version.ts"

/** Where to send them. */
export const otlpFlag = Flag.String("otlp").pipe(
  Flag.withMetavar("URL"),
  Flag.withDescription(
    "Send spans and metrics to this OpenTelemetry collector by OTLP/HTTP, such as http://localhost:4318; " +
      "otherwise to $OTEL_EXPORTER_OTLP_ENDPOINT, otherwise nowhere"
  ),
  Flag.optional
)

/** An exporter that was set up. */
export interface Exporter {
  /** Milliseconds between two times that metrics are sent. */
  readonly interval: number
  /** Does something whose spans and metrics are sent. */
  readonly observe: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

type Environment = { readonly [name: string]: string | undefined }

/**
 * Sets up the exporter that the flag or the environment asks for; `undefined` where neither does. The last spans and
 * metrics are sent when the scope closes. `Failure` for what can't be a collector's URL, for a protocol other than
 * `http/protobuf` (the default) and `http/json`, and for variables that can't be read.
 */
export const openExporter = (
  flag: Option.Option<string>,
  instance: string,
  environment: Environment = process.env
): Effect.Effect<Exporter | undefined, Failure, Scope> =>
  Effect.suspend(() => {
    const own = Option.getOrUndefined(flag)
    const { OTEL_EXPORTER_OTLP_ENDPOINT: shared, OTEL_SDK_DISABLED: disabled } = environment
    const asked = own === undefined
      ? [shared, ...signals.map((signal) => environment[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`])]
      : [own]
    const urls = asked.flatMap((url) => url === undefined || url === "" ? [] : [url])
    if (urls.length === 0 || disabled?.toLowerCase() === "true") return Effect.undefined
    // The value isn't repeated: it may hold a password.
    if (!urls.every(isHttp)) {
      return Effect.fail(misuse(own === undefined ? "OTEL_EXPORTER_OTLP_ENDPOINT" : "--otlp", ...noUrl))
    }
    const protocol = environment["OTEL_EXPORTER_OTLP_PROTOCOL"] || "http/protobuf"
    const serialization = protocols.get(protocol)
    if (serialization === undefined) {
      return Effect.fail(misuse("OTEL_EXPORTER_OTLP_PROTOCOL", "is no protocol that is spoken here", spoken))
    }
    const settings = settingsOf(environment, own)
    const resource = resourceOf(settings, instance)
    const layer = Layer.merge(OtlpTracer.layerFromConfig({ resource }), OtlpMetrics.layerFromConfig({ resource })).pipe(
      Layer.provide(Layer.merge(serialization, layerCollector)),
      Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: settings })))
    )
    return Layer.build(layer).pipe(
      Effect.catchDefect((cause) => Effect.fail(misuse("OTEL_…", "a variable can't be read", unreadable, cause))),
      Effect.map((context) => ({
        interval: Number(settings["OTEL_METRIC_EXPORT_INTERVAL"] ?? 10_000),
        observe: Effect.provideContext(context)
      }))
    )
  })

const signals = ["TRACES", "METRICS"] as const

const protocols: ReadonlyMap<string, Layer.Layer<OtlpSerialization.OtlpSerialization>> = new Map([
  ["http/protobuf", OtlpSerialization.layerProtobuf],
  ["http/json", OtlpSerialization.layerJson]
])

const noUrl = ["is no URL of http or https", "name the collector, such as http://localhost:4318"] as const
const spoken = "leave it out, or set it to http/protobuf or http/json"
const unreadable = "look at those that are set; --log-level debug tells which one it is"

const isHttp = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)

/** The environment, with what it leaves open; a URL that was given as a flag counts for both signals. */
const settingsOf = (environment: Environment, url: string | undefined): Record<string, string> => {
  const given = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || value === "" || !name.startsWith("OTEL_") ||
        (url !== undefined && /^OTEL_EXPORTER_OTLP_\w+_ENDPOINT$/.test(name))
        ? []
        : [[name, value]]
    )
  )
  return {
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_METRICS_EXPORTER: "otlp",
    ...given,
    ...url === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: url }
  }
}

/** What everything that is sent says of this process, where the environment doesn't. */
const resourceOf = (settings: Record<string, string>, instance: string) => {
  const said = settings["OTEL_RESOURCE_ATTRIBUTES"] ?? ""
  const isSaid = (name: string) => said.split(",").some((each) => each.trim().startsWith(`${name}=`))
  return {
    ...settings["OTEL_SERVICE_NAME"] !== undefined || isSaid("service.name") ? {} : { serviceName: "persist" },
    ...isSaid("service.version") ? {} : { serviceVersion: version },
    attributes: isSaid("service.instance.id") ? {} : { "service.instance.id": instance }
  }
}
