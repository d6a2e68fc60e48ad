/** A commit that was written by a process which was killed before it could tell the others, who go on. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { openUrl } from "persist/effect"
import type { ScriptCommand } from "./child/script.ts"
import type { WitnessCommand } from "./child/witness.ts"
import type { Message } from "./message.ts"
import { start } from "./running.ts"
import { go, neededShim } from "./shim.ts"
import { type Files, sqlite } from "./target.ts"

const patience = 120_000

/** Starts a witness and waits until it has seen the store; gives what it told. */
const witness = Effect.fnUntraced(function*(command: WitnessCommand) {
  const told: Array<Message> = []
  const seen = yield* Deferred.make<void>()
  const child = yield* start("witness.ts", command, {
    onMessage: (message) => {
      told.push(message)
      if (message._tag === "Mark" && message.name === "seen") Deferred.doneUnsafe(seen, Effect.void)
    }
  })
  yield* Effect.raceFirst(
    Deferred.await(seen),
    Effect.flatMap(child.ended, ({ complaints }) => Effect.die(new Error(complaints)))
  )
  return { child, told }
})

/** Lets a process commit twice, and kills it when it is about to sync the second; gives that one's id. */
const dieUnsynced = Effect.fnUntraced(function*(url: string, { directory }: Files, library: string) {
  const ids: Array<string> = []
  const command: ScriptCommand = { url, name: "s", scenes: ["commit", "commit"] }
  const child = yield* start("script.ts", command, {
    onMessage: (message) => {
      if (message._tag === "Sent") ids.push(...message.commits.map(({ identity }) => identity?.id ?? ""))
    },
    watch: { library, directory, onCall: ({ name }) => ids.length === 2 && name === "fsync" ? { _tag: "Kill" } : go }
  })
  const { signal } = yield* child.ended
  assert.strictEqual(signal, "SIGKILL")
  return ids[1] ?? ""
})

/** What somebody is told of that commit, with others about, and what it has come to when all of them are gone. */
const ask = Effect.fnUntraced(function*(library: string, readonly: boolean) {
  const { files, readUrl, url } = yield* sqlite.place
  yield* Effect.scoped(openUrl(url))
  const bystander = yield* witness({ url })
  const id = yield* dieUnsynced(url, files, library)
  const { child, told } = yield* witness({ url: readonly ? readUrl : url, id })
  for (const { ended, kill } of [bystander.child, child]) {
    kill()
    yield* ended
  }
  const backend = yield* openUrl(url)
  return {
    told,
    later: yield* backend.resolve(id),
    seqs: yield* backend.streams({ prefix: "", after: undefined, limit: 9 })
  }
})

describe("SQLite, where a process is killed between writing a commit and telling of it", () => {
  it.live("who may write is told that it never happened, and it never does", (context) =>
    Effect.gen(function*() {
      const { later, seqs, told } = yield* ask(yield* neededShim(context), false)
      assert.deepStrictEqual(told.find(({ _tag }) => _tag === "Resolved"), { _tag: "Resolved", id: "s.2" })
      assert.isTrue(Option.isNone(later))
      assert.deepStrictEqual(seqs.map(({ last, stream }) => [stream, Number(last)]), [["m/0", 1]])
    }), patience)

  it.live("who only reads is told nothing, since it may come to light", (context) =>
    Effect.gen(function*() {
      const { later, told } = yield* ask(yield* neededShim(context), true)
      assert.deepStrictEqual(told.flatMap((one) => one._tag === "Trouble" ? [one.error] : []), ["Unavailable"])
      assert.isTrue(Option.isSome(later))
    }), patience)
})
