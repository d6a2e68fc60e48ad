/** Commits that got to the disk in part: opening finds all those before it and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import { makeOn } from "@persist/backend-file/layer"
import { append, commit } from "@persist/conformance/given"
import * as Effect from "effect/Effect"
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { errorOf } from "../backend-sqlite/place.ts"
import { warningsIn } from "../core/ledger.ts"
import { contents, expected, history } from "./history.ts"
import { directory, openSegment } from "./place.ts"
import { unsynced } from "./power.ts"

/** A store whose writer was killed after its last commit, and the frames of its log. */
const killed = Effect.gen(function*() {
  const root = yield* directory
  const path = join(root, "killed")
  yield* Effect.scoped(Effect.gen(function*() {
    const backend = yield* makeOn(unsynced, { path: join(root, "live") })
    for (const batch of history) yield* backend.commit(batch)
    cpSync(join(root, "live"), path, { recursive: true })
  }))
  const { frames, path: log } = openSegment(path)
  return { root, path, log, frames, bytes: readFileSync(log) }
})

// What it warns of, and what it holds once it's opened, and what becomes of one commit more.
const reopened = (path: string) =>
  warningsIn(Effect.scoped(Effect.gen(function*() {
    const backend = yield* makeOn(unsynced, { path })
    const found = yield* contents(backend)
    const [more] = yield* backend.commit([commit({ append: [append("a", "more")] })])
    return { found, more }
  })))

const cases: ReadonlyArray<readonly [name: string, step: number, cut: (bytes: Buffer, at: number) => Buffer]> = [
  ["ends there", 1, (bytes, at) => bytes.subarray(0, at)],
  ["goes on with zeros", 1, (bytes, at) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(bytes.length - at)])],
  ["goes on with rubbish", 7, (bytes, at) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(300, 0xa5)])]
]

describe("a log whose last commit", () => {
  it.effect.each(cases)(
    "%s, wherever: it never was, and all before it is there",
    ([name, step, cut]) =>
      Effect.gen(function*() {
        const { bytes, frames, log, path, root } = yield* killed
        const { after } = yield* expected
        const frame = frames.at(-1)
        assert.isDefined(frame)
        for (let at = frame.start; at < frame.end; at += step) {
          const copy = join(root, `${name} ${at}`)
          cpSync(path, copy, { recursive: true })
          writeFileSync(log.replace(path, copy), cut(bytes, at))
          const { value: { found, more }, warnings } = yield* reopened(copy)
          assert.deepStrictEqual(found, after[history.length - 1], `cut at byte ${at}`)
          assert.strictEqual(more._tag, "Committed")
          assert.strictEqual(more._tag === "Committed" && Number(more.position), found.head + 1)
          // What was cut off is told of and kept, where it's anything.
          const some = at > frame.start || name === "goes on with rubbish"
          assert.strictEqual(warnings.length, some ? 1 : 0, `cut at byte ${at}`)
          const kept = some ? readdirSync(join(copy, "cut")).map((file) => readFileSync(join(copy, "cut", file))) : []
          const rest = cut(bytes, at).subarray(frame.start)
          assert.strictEqual(kept.length, some ? 1 : 0)
          for (const piece of kept) assert.isTrue(rest.subarray(0, piece.length).equals(piece))
        }
        assert.isAbove(frame.end - frame.start, 200)
      }),
    60_000
  )
})

describe("a log that is damaged before its last commit", () => {
  it.effect("is Corrupt, and nothing is cut off: what follows was acknowledged", () =>
    Effect.gen(function*() {
      const { bytes, frames, log, path } = yield* killed
      assert.isAbove(frames.length, 2)
      for (const { end, start } of frames.slice(0, -1)) {
        for (const at of [start, (start + end) >> 1]) {
          const damaged = Buffer.from(bytes)
          damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at)
          writeFileSync(log, damaged)
          const error = yield* errorOf(Effect.scoped(makeOn(unsynced, { path })))
          assert.strictEqual(error._tag, "Corrupt")
          assert.match(error.message, /a whole frame follows at/)
          assert.isTrue(readFileSync(log).equals(damaged), `byte ${at}`)
          assert.notInclude(readdirSync(path), "cut")
        }
      }
    }))
})
