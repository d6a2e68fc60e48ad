/** Verifying: a sound store is found sound, and of a damaged one each damage is named, and the rest is read. */
import { assert, describe, it } from "@effect/vitest"
import { type Verified, verify } from "@persist/backend-file"
import { type Disk, disk } from "@persist/backend-file/disk"
import { makeOn } from "@persist/backend-file/layer"
import { latestManifest } from "@persist/backend-file/manifest"
import { verify as verifyOn } from "@persist/backend-file/verify/verify"
import { append, commit } from "@persist/conformance/given"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join, relative } from "node:path"
import { errorOf } from "../backend-sqlite/place.ts"
import { systemError } from "./faults.ts"
import { flipped, written } from "./flipped.ts"
import { contents } from "./history.ts"
import { fence, newPath, openSegment, visit } from "./place.ts"
import { unsynced } from "./power.ts"

const on = (flawed: Disk, path: string): Effect.Effect<Exit.Exit<Verified, unknown>> =>
  Effect.exit(verifyOn(path, undefined, flawed))

describe("verify", () => {
  it.effect("finds a sound store sound, and says what it has looked at", () =>
    Effect.gen(function*() {
      const { path } = yield* written
      const told: Array<readonly [number, number]> = []
      const found = yield* verify(path, (done, whole) => told.push([done, whole]))
      assert.deepStrictEqual(found.damages, [])
      assert.deepStrictEqual(
        { segments: found.segments, frames: found.frames, records: found.records, runs: found.runs },
        { segments: 2, frames: 8, records: 28, runs: 1 }
      )
      assert.isAbove(found.entries, 10)
      assert.deepStrictEqual([found.unfinished, found.kept], [0, []])
      assert.deepStrictEqual(told, [[1, 3], [2, 3], [3, 3]])
    }))

  it.effect("names every byte that was flipped, and reads the records beside it", () =>
    Effect.gen(function*() {
      const { files, path } = yield* written
      const whole = yield* verify(path)
      for (const file of files) {
        const name = relative(path, file)
        const inLog = name.startsWith("log")
        let nearby = 0
        for (let byte = 0; byte < statSync(file).size; byte += inLog ? 1 : 5) {
          const exit = yield* on(flipped(file, byte, 1 << byte % 8), path)
          if (Exit.isFailure(exit)) {
            // It's of a newer format then.
            assert.strictEqual(name, "store", `byte ${byte}`)
            assert.match(String(Exit.findErrorOption(exit)), /store, where this version knows 1 to 1/)
            continue
          }
          const { damages, records } = exit.value
          assert.isAbove(damages.length, 0, `byte ${byte} of ${name}`)
          for (const { path: damaged } of damages) assert.strictEqual(damaged, file)
          if (!inLog) assert.strictEqual(records, whole.records, `byte ${byte} of ${name}`)
          if (!inLog) continue
          assert.isAtLeast(records, whole.records - 8, `byte ${byte} of ${name}`)
          if (damages.some(({ offset }) => byte - offset >= 0 && byte - offset < 120)) nearby++
        }
        if (inLog) assert.isAbove(nearby, statSync(file).size * 0.6, name)
      }
    }), 120_000)

  it.effect("tells what a writer left unfinished, and what was cut off, from damage", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const logOf = () => join(path, "log", readdirSync(join(path, "log"))[0] ?? "")
      yield* Effect.scoped(Effect.gen(function*() {
        const backend = yield* makeOn(unsynced, { path })
        yield* backend.commit([commit({ append: [append("s", "1")] })])
        assert.strictEqual((yield* verify(path)).unfinished, 0)
        // As a writer has it that is in the middle of a write.
        const bytes = readFileSync(logOf())
        const { end } = openSegment(path)
        writeFileSync(
          logOf(),
          Buffer.concat([bytes.subarray(0, end), Buffer.from("half a frame"), bytes.subarray(end + 12)])
        )
        const meanwhile = yield* verify(path)
        assert.deepStrictEqual([meanwhile.damages, meanwhile.unfinished], [[], bytes.length - end])
        writeFileSync(logOf(), bytes)
      }))
      appendFileSync(logOf(), "half a frame")
      const [closed] = (yield* verify(path)).damages
      assert.deepStrictEqual([closed?.path, closed?.reason], [logOf(), "there is something behind the end of the log"])
      yield* Effect.scoped(makeOn(unsynced, { path }))
      const after = yield* verify(path)
      assert.deepStrictEqual(after.damages, [])
      assert.strictEqual(after.kept.length, 1)
    }))
})

describe("verify, of a directory", () => {
  it.effect("says what a damaged store file should hold, and so it's mended", () =>
    Effect.gen(function*() {
      const { path, truth } = yield* written
      const file = join(path, "store")
      for (const damaged of ["{", readFileSync(file, "utf8").replace(/"identity": "./, "\"identity\": \"?")]) {
        writeFileSync(file, damaged)
        const [found] = (yield* verify(path)).damages
        writeFileSync(file, /it should hold (.*)$/.exec(found?.reason ?? "")?.[1] ?? "")
        assert.deepStrictEqual((yield* verify(path)).damages, [])
      }
      assert.deepStrictEqual(yield* visit(path, contents), truth)
    }))

  it.effect("finds a manifest with a damaged copy, which the next opening writes anew", () =>
    Effect.gen(function*() {
      const { path, truth } = yield* written
      const name = readdirSync(path).find((each) => each.startsWith("manifest")) ?? ""
      const bytes = readFileSync(join(path, name))
      writeFileSync(join(path, name), bytes.fill(10, 0, bytes.length >> 1))
      const { damages } = yield* verify(path)
      assert.match(damages.map(({ reason }) => reason).join(), /^one of its two copies is damaged/)
      assert.deepStrictEqual(yield* visit(path, contents), truth)
      assert.deepStrictEqual((yield* verify(path)).damages, [])
    }))

  it.effect("names a file that is gone, and one that is another's", () =>
    Effect.gen(function*() {
      const { path } = yield* written
      const [first = "", second = ""] = readdirSync(join(path, "log")).map((name) => join(path, "log", name))
      const kept = readFileSync(first)
      const sealed = latestManifest(disk, path)?.sealed[0]?.last
      rmSync(first)
      assert.deepStrictEqual((yield* verify(path)).damages, [
        { path: first, offset: 0, position: 1, through: sealed, reason: "the file is gone" }
      ])
      writeFileSync(first, readFileSync(second))
      assert.include((yield* verify(path)).damages[0]?.reason, "another segment than its name says")
      writeFileSync(first, kept.subarray(0, 400))
      assert.include((yield* verify(path)).damages[0]?.reason, `it has 400 bytes where it had ${kept.length}`)
      writeFileSync(first, kept)
      assert.deepStrictEqual((yield* verify(path)).damages, [])
    }))

  it.effect("names what may not be read, and reads the rest", () =>
    Effect.gen(function*() {
      const { files, path } = yield* written
      const whole = yield* verify(path)
      for (const file of files) {
        const name = relative(path, file)
        if (!name.startsWith("log") && !name.startsWith("index")) continue
        const { damages, records } = yield* verifyOn(path, undefined, {
          ...disk,
          open: (at, access) => {
            if (at === file) throw systemError("EACCES", "open")
            return disk.open(at, access)
          }
        })
        assert.strictEqual(damages.length, 1)
        assert.deepInclude(damages[0], { path: file, reason: "the file can't be read (EACCES)" })
        if (name.startsWith("log")) assert.isBelow(records, whole.records)
        else assert.strictEqual(records, whole.records)
      }
    }))

  it.effect("looks at every segment where the manifest is gone, and misses one that is gone too", () =>
    Effect.gen(function*() {
      const { path } = yield* written
      const whole = yield* verify(path)
      for (const name of readdirSync(path)) if (name.startsWith("manifest")) rmSync(join(path, name))
      const [first = "", second = ""] = readdirSync(join(path, "log")).map((name) => join(path, "log", name))
      const { damages, records } = yield* verify(path)
      assert.strictEqual(records, whole.records)
      assert.deepInclude(damages[0], { path: first, reason: "there is no manifest that lists it" })
      assert.lengthOf(damages, 1)
      rmSync(first)
      assert.include((yield* verify(path)).damages.map(({ reason }) => reason), "the segment before it is missing")
      assert.isAbove(statSync(second).size, 0)
    }))

  it.effect("says that it isn't sound while somebody takes it over, until that has come to an end", () =>
    Effect.gen(function*() {
      const { path } = yield* written
      fence(path)
      const { damages, records } = yield* verify(path)
      assert.match(damages.map(({ reason }) => reason).join(), /^somebody has begun to take the store over/)
      yield* visit(path, () => Effect.void)
      assert.deepStrictEqual([(yield* verify(path)).damages, (yield* verify(path)).records], [[], records])
    }))

  it.effect("is refused where there is no store", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      assert.strictEqual((yield* errorOf(verify(path)))._tag, "Invalid")
    }))
})
