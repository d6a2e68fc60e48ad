/** What `persist run` sends to a collector: links from one process's appends to another's handlers, and health. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test, vi } from "vitest"
import { type Received, type SentValue, startCollector } from "./collector.ts"
import { type Desk, errorOf, openDesk, root } from "./program.ts"

vi.stubEnv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
vi.stubEnv("OTEL_BSP_SCHEDULE_DELAY", "50")
vi.stubEnv("OTEL_METRIC_EXPORT_INTERVAL", "50")

const of = (path: string) => JSON.stringify(join(root, path))

const moduleOf = (name: string) => `
import { Catalogue } from ${of("packages/core/src/index.ts")}
import { subscription } from ${of("packages/runner/src/index.ts")}
import * as Effect from ${of("node_modules/effect/dist/Effect.js")}
import * as Schema from ${of("node_modules/effect/dist/Schema.js")}

export const own = subscription({
  name: "${name}",
  events: Catalogue.make({ Paid: Schema.Struct({ to: Schema.String }) }, { unknown: "skip" }),
  handle: () => Effect.withSpan(Effect.void, "send a mail")
})
`

const checkout = async (desk: Desk, collector: string, to: string) => {
  const program = join(root, "test/cli/child/checkout.ts")
  const child = spawn(process.execPath, ["--conditions=source", program, "sqlite:app.db", collector, to], {
    cwd: desk.directory,
    stdio: "inherit"
  })
  expect(await once(child, "close")).toEqual([0, null])
}

/** The value of a partition's metric, as one process sent it last. */
const valueOf = ({ values }: Received, instance: string, name: string, processor = "mailer"): SentValue | undefined =>
  values.get(instance)?.find((one) => one.name === name && one.labels["processor"] === processor)

test("an append leads to its handlers in another process; health is sent, that of the killed as well", async () => {
  using desk = openDesk()
  await using collector = await startCollector()
  writeFileSync(desk.path("mailer.ts"), moduleOf("mailer"))
  writeFileSync(desk.path("other.ts"), moduleOf("other"))
  await checkout(desk, collector.url, "ann")
  const [trace, append] = await collector.until(({ spans }) => {
    const found = spans.find(({ name }) => name === "append")
    const whole = spans.find(({ name }) => name === "checkout")
    return found && whole && [whole, found]
  })
  expect(append).toMatchObject({ service: "shop", traceId: trace.traceId, parentSpanId: trace.spanId, kind: 4 })

  const start = (file: string, label: string) =>
    desk.start("run", file, "--label", label, "--patience", "1000", "--otlp", collector.url)
  const mailer = start("mailer.ts", "one")
  const handled = await collector.until(({ spans }) => spans.find(({ name }) => name === "process mailer"))
  expect(handled).toMatchObject({
    service: "persist",
    kind: 5,
    links: [{ traceId: append.traceId, spanId: append.spanId }]
  })
  expect(handled.traceId).not.toBe(append.traceId)
  const mail = await collector.until(({ spans }) => spans.find(({ name }) => name === "send a mail"))
  expect(mail).toMatchObject({ traceId: handled.traceId, parentSpanId: handled.spanId })

  // What the store says of it is what is sent.
  const well = await collector.until((received) => {
    const [alive, healthy, lag] = ["alive", "healthy", "lag.positions"].map((name) =>
      valueOf(received, "one", `persist.processor.${name}`)
    )
    return alive?.value === 1 && healthy?.value === 1 && lag?.value === 0 ? alive : undefined
  })
  expect(well.labels).toMatchObject({ processor: "mailer", partition: "0", runner: "one" })
  expect(await desk.json("projections", "ls")).toMatchObject({ name: "mailer", healthy: true, parked: 0 })
  const events = await collector.until((received) => valueOf(received, "one", "persist.processor.events"))
  expect(events.value).toBe(1)

  // Another process, which has no program for it, sees it die and fall behind.
  const other = start("other.ts", "two")
  await collector.until((received) => valueOf(received, "two", "persist.processor.alive")?.value === 1 || undefined)
  mailer.process.kill("SIGKILL")
  await mailer.ended
  await checkout(desk, collector.url, "bob")
  const lagOfDead = (received: Received, beyond: number) => {
    const [alive, healthy, lag] = ["alive", "healthy", "lag.positions"].map((name) =>
      valueOf(received, "two", `persist.processor.${name}`)
    )
    return alive?.value === 0 && healthy?.value === 0 && lag !== undefined && lag.value > beyond ? lag.value : undefined
  }
  const behind = await collector.until((received) => lagOfDead(received, 0))
  await checkout(desk, collector.url, "eve")
  await collector.until((received) => lagOfDead(received, behind))
  await collector.until((received) =>
    (valueOf(received, "two", "persist.processor.lag.time")?.value ?? 0) > 0 || undefined
  )
  await collector.until((received) => valueOf(received, "two", "persist.processor.lag.positions", "other"))
  other.process.kill("SIGINT")
  expect((await other.ended).code).toBe(130)
  // The checkpoint is saved within what was handled; signs of life are in no trace.
  const commits = await collector.until(({ spans }) => {
    const all = spans.filter(({ name }) => name === "commit")
    return all.some(({ traceId }) => traceId === handled.traceId) ? all : undefined
  })
  const traces = await collector.until(({ spans }) =>
    spans.flatMap(({ name, traceId }) => name.startsWith("process ") ? [traceId] : [])
  )
  for (const { traceId } of commits) expect(traces).toContain(traceId)
})

test("a collector that isn't there keeps nothing from running, nor from ending", async () => {
  using desk = openDesk()
  const gone = await startCollector()
  await gone[Symbol.asyncDispose]()
  writeFileSync(desk.path("mailer.ts"), moduleOf("mailer"))
  await desk.runWith(`${JSON.stringify({ stream: "order/ann", type: "Paid", data: { to: "ann" } })}\n`, "import", "-")
  const running = desk.start("run", "mailer.ts", "--otlp", gone.url)
  while (!(await desk.run("projections", "ls", "--json")).stdout.includes(`"healthy":true`)) continue
  running.process.kill("SIGINT")
  const { code, stderr } = await running.ended
  expect(code).toBe(130)
  expect(stderr.match(/spans and metrics aren't sent: the collector can't be reached \(ECONNREFUSED\)/g)).toHaveLength(
    1
  )
})

test.each([
  ["no URL", ["--otlp", "collector"], {}, "--otlp"],
  ["a URL of something else", ["--otlp", "ftp://user:secret@host"], {}, "--otlp"],
  ["a wrong endpoint", [], { OTEL_EXPORTER_OTLP_ENDPOINT: "user:secret" }, "OTEL_EXPORTER_OTLP_ENDPOINT"],
  [
    "a protocol not spoken here",
    ["--otlp", "http://secret@host"],
    { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    "OTEL_EXPORTER_OTLP_PROTOCOL"
  ],
  ["a wrong number", ["--otlp", "http://secret@host"], { OTEL_BSP_SCHEDULE_DELAY: "secret" }, "OTEL_…"]
])("%s is refused by its name, and never told", async (_what, flags, environment, field) => {
  using desk = openDesk()
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  writeFileSync(desk.path("mailer.ts"), moduleOf("mailer"))
  const ran = await desk.run("run", "mailer.ts", ...flags, "--json")
  for (const name of Object.keys(environment)) vi.stubEnv(name, undefined)
  expect(errorOf(ran)).toMatchObject({ code: 2, field })
  expect(ran.stderr + ran.stdout).not.toContain("secret")
})
