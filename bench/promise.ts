/**
 * What the Promise interface costs over the same calls in one fiber, on the memory backend: nanoseconds a call, best of
 * several rounds. Run: `node --conditions=source bench/promise.ts [calls] [rounds]`.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { open } from "persist"

const calls = Number(process.argv[2] ?? 20_000)
const rounds = Number(process.argv[3] ?? 7)

await using store = await open("memory:")
const log = store.log()
const kv = store.kv("n")
const core = { log: store.effect.log(), kv: store.effect.kv("n") }
const event = { type: "T", data: { n: 1 } }
const { signal } = new AbortController()
const concurrent = 64

await kv.put("k", 1)
await log.append("read", Array.from({ length: 10_000 }, () => event), { expected: "any" })

/** So many calls, one after another: by Promise, and in one fiber. */
type Pair = readonly [name: string, promise: (calls: number) => Promise<void>, fiber: Effect.Effect<unknown, unknown>]

const repeat = (call: () => Effect.Effect<unknown, unknown>) =>
  Effect.suspend(() => {
    let left = calls
    return Effect.whileLoop({ while: () => left-- > 0, body: call, step: () => undefined })
  })

const pairs: ReadonlyArray<Pair> = [
  [
    "kv.get",
    async (n) => {
      for (let i = 0; i < n; i++) await kv.get("k")
    },
    repeat(() => core.kv.get("k"))
  ],
  [
    "kv.get with a signal",
    async (n) => {
      for (let i = 0; i < n; i++) await kv.get("k", { signal })
    },
    repeat(() => core.kv.get("k"))
  ],
  [
    "log.append, one at a time",
    async (n) => {
      for (let i = 0; i < n; i++) await log.append("a", event, { expected: "any" })
    },
    repeat(() => core.log.append("a", event, { expected: "any" }))
  ],
  [
    `log.append, ${concurrent} at a time`,
    async (n) => {
      const caller = async () => {
        for (let i = 0; i < n / concurrent; i++) await log.append("a", event, { expected: "any" })
      }
      await Promise.all(Array.from({ length: concurrent }, caller))
    },
    Effect.suspend(() => {
      const caller = (): Effect.Effect<unknown, unknown> => {
        let left = calls / concurrent
        return Effect.whileLoop({
          while: () => left-- > 0,
          body: () => core.log.append("a", event, { expected: "any" }),
          step: () => undefined
        })
      }
      return Effect.forEach(Array.from({ length: concurrent }, caller), (each) => each, { concurrency: "unbounded" })
    })
  ],
  [
    "an event read in a loop",
    async (n) => {
      for (let read = 0; read < n; read += 10_000) for await (const _ of log.read("read")) continue
    },
    repeat10k(() => Stream.runForEachArray(core.log.read("read"), () => Effect.void))
  ],
  [
    "an event read by toArray",
    async (n) => {
      for (let read = 0; read < n; read += 10_000) await log.read("read").toArray()
    },
    repeat10k(() => Stream.runCollect(core.log.read("read")))
  ]
]

function repeat10k(read: () => Effect.Effect<unknown, unknown>) {
  return Effect.suspend(() => {
    let left = calls
    return Effect.whileLoop({ while: () => left > 0, body: read, step: () => left -= 10_000 })
  })
}

const best = async (run: () => Promise<unknown>): Promise<number> => {
  let least = Infinity
  for (let round = 0; round < rounds; round++) {
    const begun = process.hrtime.bigint()
    await run()
    least = Math.min(least, Number(process.hrtime.bigint() - begun))
  }
  return least / calls
}

console.log(`${"ns a call".padEnd(28)}${"promise".padStart(9)}${"fiber".padStart(9)}${"cost".padStart(9)}`)
for (const [name, promise, fiber] of pairs) {
  const ours = await best(() => promise(calls))
  const bare = await best(() => Effect.runPromise(fiber))
  console.log(`${name.padEnd(28)}${[ours, bare, ours - bare].map((ns) => ns.toFixed(0).padStart(9)).join("")}`)
}
