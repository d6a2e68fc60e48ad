/** The process of one side in one workload: opens it, warms it up, and does a round whenever it's asked. */
import { sides } from "../sides/sides.ts"
import { type Figures, type Ready, type Sizes, timed } from "../workloads/workload.ts"
import { workloads } from "../workloads/workloads.ts"
import type { About, Assignment, Refusal, Reply, Request } from "./messages.ts"
import { growthOf } from "./resident.ts"

interface Prepared {
  readonly round: () => Promise<Figures>
  readonly about: About
  readonly close: () => Promise<void>
}

/** After so many events or keys the compiler is done with what each of them takes. */
const warm = 10_000

/** Repeats more and more until it takes half a round and is warm: that also says how many times a round is. */
const calibrated = async ({ each, repeat }: Extract<Ready, { repeat: unknown }>, { round }: Sizes): Promise<number> => {
  for (let count = 1, done = 0, spent = 0;;) {
    const taken = await timed(() => repeat(count))
    spent += taken
    done += count * each
    const next = Math.max(1, Math.min(Math.round(count * round / taken), count * 8))
    // Of what is so slow that it isn't warm by then the compiler's part is small.
    const isWarm = spent >= 6 * round && done >= warm || spent >= 20 * round
    if (taken >= round / 2 && isWarm) return next
    count = next
  }
}

// Nothing is collected by hand between rounds: it takes compiled code and the room for what is new along, which costs
// whoever has more code a third of the processor's time in the next round. Who goes on pays for its own garbage.
const roundOf = async (ready: Ready, sizes: Sizes): Promise<Prepared["round"]> => {
  if ("measure" in ready) return ready.measure
  const count = await calibrated(ready, sizes)
  const done = count * ready.each
  return async () => {
    const before = process.cpuUsage()
    const millis = await timed(() => ready.repeat(count))
    const { system, user } = process.cpuUsage(before)
    const figures = { rate: done * 1000 / millis, cpu: (system + user) / done }
    return ready.memory === true ? { ...figures, memory: await growthOf(() => ready.repeat(1)) } : figures
  }
}

const prepare = async ({ place, side: name, sizes, store, workload }: Assignment): Promise<Prepared | Refusal> => {
  const entry = sides[store].find((side) => side.name === name)
  const work = workloads.find((one) => one.name === workload)
  if (entry === undefined || work === undefined) throw new Error(`there is no ${workload} on ${name}`)
  const side = await entry.open(place).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (side === undefined) return { is: "not installed" }
  const ready = await work.prepare(side, sizes)
  if (ready === undefined) {
    await side.close()
    return { is: "unable" }
  }
  const close = async () => {
    if ("measure" in ready) await ready.close?.()
    await side.close()
  }
  const { durable: claimed, note } = side
  const durable = claimed === "alone" ? (work.clients ?? 1) === 1 : claimed
  const about = { ...note === undefined ? {} : { note }, ...durable === undefined ? {} : { durable } }
  return { round: await roundOf(ready, sizes), about, close }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND"

let prepared: Prepared | undefined

const answer = async (request: Request): Promise<Reply> => {
  if (request.ask === "prepare") {
    const found = await prepare(request.assignment)
    if ("is" in found) return found
    prepared = found
    return { is: "ready", about: found.about }
  }
  if (request.ask === "close") {
    await prepared?.close()
    return { is: "closed" }
  }
  return { is: "measured", figures: await prepared?.round() ?? {} }
}

// One thing after another: the harness waits for each answer.
process.on("message", (request: Request) => {
  void answer(request)
    .catch((error: unknown): Reply => ({ is: "failed", why: String(error instanceof Error ? error.message : error) }))
    .then((reply) => process.send?.(reply))
})
process.on("disconnect", () => process.exit())
