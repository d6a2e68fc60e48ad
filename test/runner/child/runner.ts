/** A runner in a process of its own: `runner.ts URL LABEL PARTITIONS PATIENCE SEEN VERSION`. */
import { type EventOf, makeStore } from "@persist/core"
import { reaction, readModel, run, subscription, workflow } from "@persist/runner"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { appendFileSync } from "node:fs"
import { openUrl } from "persist/effect"
import { letGo } from "../../backend-sqlite/child/ready.ts"
import { Counted, totals, turnsOf, Woken } from "../orders.ts"
import { sumsAt } from "../sums.ts"

const [url = "", label = "", partitions = "1", patience = "1000", seen = "", version = "1"] = process.argv.slice(2)

const main = Effect.gen(function*() {
  const store = yield* makeStore(yield* openUrl(url))
  const kept = totals(store)
  // Each stream's events are 1, 2, 3…: whoever applies one twice, or one before its turn, fails.
  const totalling = reaction({
    name: "totalling",
    events: Counted,
    prefix: "order-",
    partitions: Number(partitions),
    failure: { retries: 0 },
    handle: Effect.fnUntraced(function*(events: ReadonlyArray<EventOf<typeof Counted>>) {
      const streams = Array.from(new Set(events.map(({ stream }) => stream)))
      const found = yield* kept.getMany(streams)
      const counts = new Map(streams.map((stream, i) => [
        stream,
        Option.match(found[i] ?? Option.none(), { onNone: () => 0, onSome: ({ value }) => value.count })
      ]))
      for (const { data, stream } of events) {
        const count = counts.get(stream) ?? 0
        if (data.n !== count + 1) return yield* Effect.fail(`${stream} is at ${count}, and ${data.n} comes`)
        counts.set(stream, data.n)
      }
      return Array.from(counts, ([stream, count]) => kept.ops.put(stream, { count, by: label }))
    })
  })
  const telling = subscription({
    name: "telling",
    events: Counted,
    prefix: "order-",
    partitions: Number(partitions),
    handle: ({ data, stream }, { key }) =>
      Effect.sync(() => appendFileSync(seen, `${stream} ${data.n} ${label} ${key}\n`))
  })
  const counting = readModel(turnsOf(Number(version)), { failure: { retries: 0 }, grace: 0 })
  // Woken some time after the first event of a stream, whoever runs its partition then.
  const waking = workflow({
    name: "waking",
    events: Counted,
    prefix: "order-",
    partitions: Number(partitions),
    failure: { retries: 0 },
    correlate: ({ stream }) => stream,
    state: Schema.String,
    seed: "",
    commands: Woken,
    step: (stream, happened) =>
      happened.type !== "$timer"
        ? { state: happened.stream, timers: happened.seq === 1 ? { wake: happened.at + 500 } : {} }
        : {
          state: stream,
          commands: [{ stream: `woken-${stream}`, events: [{ type: "Woken", data: null }], expected: 0 }]
        }
  })
  const summing = sumsAt(url)?.processor({ prefix: "order-", partitions: Number(partitions), failure: { retries: 0 } })
  return yield* run(store, [totalling, telling, counting, waking, ...summing === undefined ? [] : [summing]], {
    label,
    patience: Number(patience),
    interval: 50
  })
})

await letGo()
const fiber = Effect.runFork(Effect.scoped(main))
process.once("SIGTERM", () => fiber.interruptUnsafe())
fiber.addObserver((exit) => {
  console.log(exit._tag === "Success" ? "ended" : String(exit.cause))
})
