/** The shop of the examples, filled while its processes are killed, stopped for a while and asked to leave. */
import { makeStore, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { openUrl } from "persist/effect"
import { type Child, startChild } from "../backend-sqlite/child.ts"
import { makeDice } from "../crash/dice.ts"
import { until } from "./until.ts"

/** How much havoc, and where. */
export interface ShopHavocOptions {
  /** Where the mails go, and by default the store. */
  readonly directory: string
  readonly url?: string | undefined
  readonly orders: number
  readonly processes: number
  /** Milliseconds that customers have to pay in. */
  readonly payWithin: number
  readonly seed: string
  /** Positions that the store gets further by between two blows. */
  readonly stretch: number
  /** Whether there is to be one more blow; where there isn't, whoever still orders goes home. */
  readonly more: (blow: number, so: Blows) => boolean
}

/** What happened to the processes. */
export interface Blows {
  readonly killed: number
  readonly stopped: number
  readonly left: number
  /** Kills of the process that orders and pays. */
  readonly cutOff: number
}

const Checked = Schema.Struct({
  events: Schema.Number,
  orders: Schema.Number,
  invoices: Schema.Number,
  paidTooLate: Schema.Number,
  mailedAgain: Schema.Number,
  compared: Schema.Number,
  differences: Schema.Number
})
const decodeChecked = Schema.decodeUnknownSync(Schema.fromJsonString(Checked))

/** What the shop's own check says in the end. */
export interface ShopHavoc extends Blows {
  readonly checked: typeof Checked.Type
  /** What differs, in words. */
  readonly said: ReadonlyArray<string>
}

const main = new URL("../../examples/shop/main.ts", import.meta.url).href
const patience = 1000

const grownBy = (store: StoreShape, stretch: number) =>
  Effect.flatMap(store.head, (from) => until(store.head, (head) => head >= from + stretch))

// All it prints: what differs, and last the figures.
const said = Effect.fnUntraced(function*(checker: Child) {
  const lines: Array<string> = []
  while (true) {
    const line = yield* checker.line
    if (line.startsWith("{")) return { checked: decodeChecked(line), said: lines }
    lines.push(line)
  }
})

/** Opens the shop, lets customers in, and strikes until there was enough. */
export const wreakInShop = Effect.fnUntraced(function*(options: ShopHavocOptions) {
  const { directory, more, orders, payWithin, processes, seed, stretch, url = `sqlite:${join(directory, "shop.db")}` } =
    options
  const shop = (command: string, ...args: ReadonlyArray<string>) =>
    startChild(main, [command, "--store", url, "--mails", join(directory, "mails.ndjson"), ...args])
  const runner = Effect.tap(
    Effect.suspend(() => shop("run", "--patience", String(patience))),
    (child) => child.line
  )
  const customers = shop("fill", "--orders", String(orders), "--seed", seed, "--pay-within", String(payWithin))
  const dice = makeDice(seed)
  const store = yield* makeStore(yield* openUrl(url))
  const crew: Array<Child> = []
  for (let n = 0; n < processes; n++) crew.push(yield* runner)
  let filler = yield* customers
  const over = yield* Ref.make(false)
  const watch = (child: Child) => Effect.forkScoped(Effect.flatMap(child.ended, (code) => Ref.set(over, code === 0)))
  yield* watch(filler)

  const counts = { killed: 0, stopped: 0, left: 0, cutOff: 0 }
  for (let blow = 0; more(blow, { ...counts }) && !(yield* Ref.get(over)); blow++) {
    yield* Effect.raceFirst(grownBy(store, stretch), until(Ref.get(over)))
    const victim = dice.below(crew.length)
    const child = crew[victim]
    if (child === undefined) throw new Error("there is nobody to hit")
    const how = dice.pick(["killed", "killed", "killed", "stopped", "left", "cutOff"] as const)
    counts[how]++
    if (how === "cutOff") {
      yield* filler.kill
      if (yield* Ref.get(over)) continue
      filler = yield* customers
      yield* watch(filler)
    } else if (how === "stopped") {
      process.kill(child.pid, "SIGSTOP")
      // Where it was stopped with the store's own lock in its hands, nobody can do anything until it goes on.
      yield* Effect.timeoutOption(grownBy(store, stretch), patience * 3)
      process.kill(child.pid, "SIGCONT")
    } else {
      if (how === "killed") yield* child.kill
      else yield* Effect.andThen(Effect.sync(() => process.kill(child.pid, "SIGTERM")), child.ended)
      crew[victim] = yield* runner
    }
  }
  yield* filler.kill
  const checker = yield* shop("check", "--within", "120000")
  return { ...counts, ...yield* said(checker) } satisfies ShopHavoc
})
