/** Runners in several processes of which one after the other is killed, stopped, cut off, or asked to leave. */
import { makeStore } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openUrl } from "persist/effect"
import { makeDice } from "../crash/dice.ts"
import { type Blow, blowsOn, type Mate, startMate } from "./crew.ts"
import { fill } from "./orders.ts"
import { allCounted, allShown, allSummed, allWoken, checkTold, lastTold, leaseCount } from "./outcome.ts"
import { sumsAt } from "./sums.ts"
import { until } from "./until.ts"

/** How much havoc, and on which store. */
export interface HavocOptions {
  /** A store that several processes may write. */
  readonly url: string
  readonly runners: number
  readonly partitions: number
  readonly streams: number
  /**
   * Whether there is to be one more blow; between two of them every stream gets a few events, and what the last one hit
   * may recover.
   */
  readonly more: (blow: number, so: Havoc) => boolean
  readonly seed: string
}

/** What happened. */
export interface Havoc {
  readonly events: number
  readonly blows: Readonly<Record<Blow, number>>
  /** Events that the handler without a transaction was given more than once. */
  readonly again: number
}

const patience = 1000

// Runners that start after so many blows know the second version of the read model.
const newVersionAfter = 2

/** Wreaks havoc, and checks that every event took effect once, in order, and was told of at least once. */
export const wreak = Effect.fnUntraced(function*(options: HavocOptions) {
  const { more, partitions, runners, seed, streams, url } = options
  const dice = makeDice(seed)
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "persist-havoc-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const seen = join(directory, "seen")
  const store = yield* makeStore(yield* openUrl(url))
  const sums = sumsAt(url)
  if (sums !== undefined) yield* sums.create
  const crew: Array<Mate> = []
  for (let n = 0; n < runners; n++) crew.push(yield* startMate(`r${n}`, { url, partitions, patience, seen }))
  const blows = { killed: 0, stopped: 0, left: 0, "cut off": 0 }
  let each = 0
  let version = 1
  for (let blow = 0; more(blow, { blows, events: streams * each, again: 0 }); blow++) {
    const victim = crew[dice.below(crew.length)]
    if (victim === undefined) throw new Error("there is nobody to hit")
    const filling = yield* Effect.forkChild(fill(store, streams, 5, each + 1))
    each += 5
    const how = dice.pick(blowsOn(url))
    blows[how]++
    if (how === "killed" || how === "left") {
      if (blow >= newVersionAfter) version = 2
      yield* victim.end(how, version)
    } else {
      yield* victim.numb(how)
      // Others have what it had before it comes back, and it then tries to go on; but where it was hit with the store's
      // own lock in its hands, nobody can do anything until then.
      yield* Effect.timeoutOption(
        Effect.andThen(Fiber.join(filling), until(allCounted(store, { streams, each }))),
        patience * 8
      )
      yield* victim.wake
    }
    yield* Fiber.join(filling)
  }
  const expected = { streams, each }
  yield* until(allCounted(store, expected))
  if (sums !== undefined) yield* until(allSummed(sums, expected))
  yield* until(allShown(store, version, expected))
  yield* until(allWoken(store, expected))
  // What was told twice makes no line for what wasn't told yet.
  yield* until(Effect.sync(() => lastTold(seen, each) === streams))
  // A version of the read model that nobody runs any more has no lease.
  const partitioned = partitions * (sums === undefined ? 3 : 4)
  yield* until(leaseCount(store), (held) => held > partitioned && held <= partitioned + version)
  return { blows, events: streams * each, again: checkTold(seen, expected) } satisfies Havoc
})
