/** Histories of clients in several processes that are killed: some order of their calls must explain every answer. */
import { assert, describe, it } from "@effect/vitest"
import { type Call, linearize, type Op, register, type Reply } from "@persist/conformance"
import * as Effect from "effect/Effect"
import type { Bug } from "./bug.ts"
import type { RegisterCommand } from "./child/register.ts"
import { makeDice } from "./dice.ts"
import type { Message } from "./message.ts"
import { start } from "./running.ts"
import { file, sqlite, type Target } from "./target.ts"

const patience = 300_000

/** Collects calls from the messages of children. */
class History {
  readonly calls = new Map<string, Call<Op, Reply>>()

  hear(who: string, message: Message): void {
    if (message._tag === "Began") {
      this.calls.set(`${who} ${message.call}`, {
        op: message.op,
        result: undefined,
        began: message.at,
        ended: Infinity
      })
    } else if (message._tag === "Ended" && message.reply !== undefined) {
      const call = this.calls.get(`${who} ${message.call}`)
      assert.isDefined(call)
      this.calls.set(`${who} ${message.call}`, { ...call, result: message.reply, ended: message.at })
    } else if (message._tag === "Nothing") this.calls.delete(`${who} ${message.call}`)
  }

  /** Those of the stream or of the key, which have nothing to do with each other. */
  of(...tags: ReadonlyArray<Op["_tag"]>): ReadonlyArray<Call<Op, Reply>> {
    return [...this.calls.values()].filter(({ op }) => tags.includes(op._tag))
  }
}

interface Load {
  readonly target: Target
  readonly seed: string
  /** How many generations of processes; all but the last are killed. */
  readonly generations: number
  /** What is wrong with it; then one client alone must see it. */
  readonly bug?: Bug
}

/** Lets processes at a store; each is killed at some moment, but for those of the last generation. */
const record = Effect.fnUntraced(function*({ bug, generations, seed, target }: Load) {
  const { url } = yield* target.place
  const dice = makeDice(seed)
  const history = new History()
  for (let generation = 0; generation < generations; generation++) {
    const isLast = generation === generations - 1
    const names = Array.from({ length: target.writers }, (_, n) => `${generation}${"ab"[n]}`)
    const lives = names.map((name) => {
      let left = 20 + dice.below(30)
      const command: RegisterCommand = {
        url,
        name,
        clients: bug === undefined ? 2 : 1,
        rounds: isLast ? 2 : 50,
        bug
      }
      const child = start("register.ts", command, {
        onMessage: (message, { kill }) => {
          history.hear(name, message)
          if (--left === 0 && !isLast) kill()
        }
      })
      return Effect.flatMap(child, ({ ended }) => ended)
    })
    yield* Effect.all(lives, { concurrency: "unbounded" })
  }
  return history
})

describe("what clients saw who were killed", () => {
  const cases = [sqlite, file].map((target) => ({ target, name: target.name }))
  it.live.each(cases)(
    "$name: can be explained by one thing done after another",
    ({ target }) =>
      Effect.gen(function*() {
        const history = yield* record({ target, seed: "1", generations: 3 })
        for (const calls of [history.of("Append", "ReadStream"), history.of("Write", "ReadKey")]) {
          assert.isDefined(linearize(calls, register), JSON.stringify(calls, undefined, 1))
          assert.isAbove(calls.length, 10)
        }
        assert.isAbove(history.of("Append", "Write").filter(({ result }) => result === undefined).length, 0)
      }),
    patience
  )

  it.live.each(["early", "stale"] as const)(
    "%s: can't be explained where a store is wrong on purpose",
    (bug) =>
      Effect.gen(function*() {
        const target = { ...sqlite, writers: 1 }
        const history = yield* record({ target, seed: "1", generations: 2, bug })
        const explained = [history.of("Append", "ReadStream"), history.of("Write", "ReadKey")].map((calls) =>
          linearize(calls, register)
        )
        assert.include(explained, undefined)
      }),
    patience
  )
})
