/** The shop: `main.ts [demo | run | fill | report | check]`; README.md says how they go together. */
import { run } from "@persist/runner"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { parseArgs } from "node:util"
import { layer, Store } from "persist/effect"
import { check } from "./check.ts"
import { fill } from "./fill.ts"
import { processors } from "./processors.ts"
import { report } from "./report.ts"

const { positionals: [command = "demo"], values } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: "string", default: process.env["PERSIST_URL"] ?? "sqlite:shop.db" },
    mails: { type: "string" },
    orders: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    "pay-within": { type: "string", default: "2000" },
    patience: { type: "string", default: "10000" },
    within: { type: "string", default: "10000" },
    label: { type: "string", default: `process ${process.pid}` }
  }
})

// Every shop has a letter box of its own, the same for all of its processes.
const lettersOf = ({ about }: typeof Store.Service) => values.mails ?? `mails-${about.incarnation}.ndjson`

const running = Effect.gen(function*() {
  console.log(`${values.label} runs`)
  const store = yield* Store
  return yield* run(store, processors(lettersOf(store)), { label: values.label, patience: Number(values.patience) })
})

const filling = Effect.scoped(Effect.gen(function*() {
  const began = performance.now()
  const filled = yield* fill(yield* Store, {
    orders: Number(values.orders),
    seed: values.seed,
    payWithin: Number(values["pay-within"])
  })
  console.log(JSON.stringify({ ...filled, seconds: Math.round(performance.now() - began) / 1000 }))
}))

const reporting = Effect.gen(function*() {
  for (const line of yield* report(yield* Store)) console.log(line)
})

const checking = Effect.gen(function*() {
  const store = yield* Store
  const mails = lettersOf(store)
  const { differences, ...found } = yield* check(store, processors(mails), mails, Number(values.within))
  for (const difference of differences.slice(0, 20)) console.log(difference)
  console.log(JSON.stringify({ ...found, differences: differences.length }))
  if (differences.length > 0) process.exitCode = 1
})

const commands = {
  /** All of it in one process. */
  demo: Effect.raceFirst(running, Effect.all([filling, checking, reporting])),
  run: running,
  fill: filling,
  report: reporting,
  check: checking
}

const isCommand = (name: string): name is keyof typeof commands => Object.hasOwn(commands, name)

if (!isCommand(command)) {
  console.error(`main.ts ${Object.keys(commands).join(" | ")}`)
  process.exit(2)
}
const fiber = Effect.runFork(Effect.provide(commands[command], layer(values.store)))
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => fiber.interruptUnsafe())
fiber.addObserver((exit) => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
  console.error(Cause.pretty(exit.cause))
  process.exitCode = 1
})
