/** File operations that fail: what was acknowledged stays, what was refused never was, and the store goes on. */
import { assert, describe, it } from "@effect/vitest"
import type { Disk } from "@persist/backend-file/disk"
import { makeOn } from "@persist/backend-file/layer"
import { append, commit, dataOf, times } from "@persist/conformance/given"
import { type BackendShape, Seq } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { cpSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { errorOf } from "../backend-sqlite/place.ts"
import { warningsIn } from "../core/ledger.ts"
import { faultyDisk, systemError } from "./faults.ts"
import { contents, expected, history } from "./history.ts"
import { breakLock, newPath } from "./place.ts"
import { unsynced } from "./power.ts"

interface Went {
  /** How many batches were acknowledged. */
  readonly done: number
  /** Whether it isn't known what became of the next one. */
  readonly unknown: boolean
  readonly errors: ReadonlyArray<string>
}

const tagOf = (exit: Exit.Exit<unknown, { readonly _tag: string }>): string =>
  Option.getOrUndefined(Exit.findErrorOption(exit))?._tag ?? "defect"

// Commits the batches from `done` on, each again after it was refused, until the store stops.
const goOn = Effect.fnUntraced(function*(backend: BackendShape, from: number) {
  const errors: Array<string> = []
  let done = from
  for (let attempts = 0; done < history.length && attempts < 3;) {
    const batch = history[done]
    if (batch === undefined) break
    const exit = yield* Effect.exit(backend.commit(batch))
    if (Exit.isSuccess(exit)) {
      done++
      attempts = 0
      continue
    }
    const tag = tagOf(exit)
    errors.push(tag)
    attempts++
    if (tag === "OutcomeUnknown") return { done, unknown: true, errors }
    assert.strictEqual(tag, "Unavailable")
    // Nothing of what was refused is there.
    const head = yield* backend.head
    assert.strictEqual(head, (yield* expected).after[done]?.head)
  }
  return { done, unknown: false, errors } satisfies Went
})

// One session on a disk, from where the last one ended.
const session = (disk: Disk, path: string, from: number) =>
  Effect.exit(
    Effect.scoped(Effect.flatMap(makeOn(disk, { path, segmentBytes: 1024 }), (backend) => goOn(backend, from)))
  )

describe("a file operation that fails once", () => {
  it.effect.each(["ENOSPC", "EIO"])("%s, whichever it is", (code) =>
    Effect.gen(function*() {
      const { after } = yield* expected
      const seen = new Map<string, number>()
      for (let number = 1;; number++) {
        const path = yield* newPath
        const faulty = faultyDisk(number, code)
        const { value: first } = yield* warningsIn(session(faulty.disk, path, 0))
        breakLock(path)
        const operation = faulty.failed()
        if (operation === undefined) break
        const went: Went = Exit.isSuccess(first) ? first.value : { done: 0, unknown: false, errors: [tagOf(first)] }
        for (const error of went.errors) seen.set(`${operation} ${error}`, (seen.get(`${operation} ${error}`) ?? 0) + 1)
        yield* Effect.scoped(Effect.gen(function*() {
          const backend = yield* makeOn(unsynced, { path, segmentBytes: 1024 })
          const { head } = yield* contents(backend)
          const done = went.unknown && head !== after[went.done]?.head ? went.done + 1 : went.done
          assert.deepStrictEqual(yield* contents(backend), after[done], `${number}: ${operation}`)
          assert.strictEqual((yield* goOn(backend, done)).done, history.length)
        }))
        const again = yield* Effect.scoped(Effect.flatMap(makeOn(unsynced, { path, readonly: true }), contents))
        assert.deepStrictEqual(again, after.at(-1), `${number}: ${operation}`)
      }
      for (const met of ["write Unavailable", "link Unavailable", "fdatasync OutcomeUnknown"]) {
        assert.isAbove(seen.get(met) ?? 0, 0, met)
      }
    }), 60_000)
})

describe("a file operation that fails beside what is committed", () => {
  it.effect("the index can't be read: what was acknowledged is there once, what was refused isn't", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      const events = 20_000
      yield* Effect.scoped(
        Effect.flatMap(
          makeOn(unsynced, { path }),
          (backend) => backend.commit([commit({ append: [append("old", ...times(events, String))] })])
        )
      )
      let unreadable = false
      const disk: Disk = {
        ...unsynced,
        read: (fd, into, offset) => {
          if (unreadable) throw systemError("EIO", "read")
          return unsynced.read(fd, into, offset)
        }
      }
      // More streams than may wait for the index so near to the segment's end; it must be asked of the first of them.
      const many = commit({
        append: times(8192, (n) => append(`s${n}`, "new")),
        truncate: [{ stream: "old", before: Seq(events / 2) }]
      })
      const after = yield* Effect.scoped(Effect.gen(function*() {
        const backend = yield* makeOn(disk, { path, segmentBytes: 1024 * 1024 })
        // What judging needs of the index is in memory by that.
        yield* backend.commit([commit({ append: [append("old", "more")] })])
        unreadable = true
        const outcomes = [
          yield* Effect.exit(backend.commit([many])),
          yield* Effect.exit(backend.commit([commit({ append: [append("s0", "refused")] })]))
        ]
        assert.deepStrictEqual(outcomes.map((exit) => Exit.isSuccess(exit) ? "done" : tagOf(exit)), [
          "done",
          "Unavailable"
        ])
        unreadable = false
        yield* backend.commit([commit({ append: [append("s0", "last")] })])
        return yield* contents(backend)
      }))
      const again = yield* Effect.scoped(Effect.gen(function*() {
        const backend = yield* makeOn(unsynced, { path })
        assert.deepStrictEqual(yield* dataOf(backend, "s0"), ["new", "last"])
        return yield* contents(backend)
      }))
      assert.deepStrictEqual(again, after)
    }))

  it.effect("what was written can't be looked at: nobody is told that it didn't happen", () =>
    Effect.gen(function*() {
      const path = yield* newPath
      let stale = false
      const disk: Disk = {
        ...unsynced,
        isNamed: (fd) => {
          if (stale) throw systemError("ESTALE", "fstat")
          return unsynced.isNamed(fd)
        }
      }
      yield* Effect.scoped(Effect.gen(function*() {
        const backend = yield* makeOn(disk, { path })
        stale = true
        const error = yield* errorOf(backend.commit([commit({ append: [append("s", "1")] })]))
        assert.strictEqual(error._tag, "OutcomeUnknown")
      }))
    }))
})

describe("a reader whose flush fails", () => {
  it.effect.each([false, true])(
    "doesn't believe the next one until another manifest is published, fresh %s",
    (fresh) =>
      Effect.gen(function*() {
        const path = yield* newPath
        let failing = 0
        const flawed: Disk = {
          ...unsynced,
          sync: () => {
            if (failing-- > 0) throw systemError("EIO", "fdatasync")
          }
        }
        const one = (data: string) => commit({ append: [append("s", data)] })
        const read = Effect.fnUntraced(function*(reader: BackendShape) {
          failing = 1
          for (let n = 0; n < 2; n++) assert.match((yield* errorOf(dataOf(reader, "s"))).message, /the disk failed/)
        })
        const writer = yield* makeOn(unsynced, { path, segmentBytes: 1024 })
        const reader = yield* makeOn(flawed, { path, readonly: true })
        // One that has just gone over to another segment, or one that is in the middle of it.
        yield* writer.commit(times(fresh ? 20 : 1, () => one("1")))
        if (fresh) yield* writer.commit([one("2")])
        yield* read(reader)
        yield* writer.commit(times(20, () => one("3")))
        yield* writer.commit([one("4")])
        assert.deepStrictEqual(yield* dataOf(reader, "s"), yield* dataOf(writer, "s"))
      })
  )
})

describe("files that are taken away while the store is open", () => {
  const cases: ReadonlyArray<readonly [name: string, take: (path: string) => void]> = [
    ["its directory is removed", (path) => rmSync(path, { recursive: true })],
    ["its directory is moved", (path) => renameSync(path, `${path}.old`)],
    ["its directory is moved, and another store is made there", (path) => {
      renameSync(path, `${path}.old`)
      cpSync(`${path}.old`, path, { recursive: true })
    }],
    ["its log is removed", (path) => rmSync(join(path, "log"), { recursive: true })],
    ["its lock is removed", breakLock]
  ]
  it.effect.each(cases)("%s: no commit is acknowledged any more", ([, take]) =>
    Effect.gen(function*() {
      const path = yield* newPath
      const batch = history[0]
      assert.isDefined(batch)
      const { warnings } = yield* warningsIn(Effect.scoped(Effect.gen(function*() {
        const backend = yield* makeOn(unsynced, { path })
        yield* backend.commit(batch)
        take(path)
        const [first, second] = [yield* errorOf(backend.commit(batch)), yield* errorOf(backend.commit(batch))]
        assert.strictEqual(first._tag, "OutcomeUnknown")
        assert.match(first.message, /the store stopped after (its lock|its directory|a file of its log)/)
        assert.strictEqual(second._tag, "Unavailable")
        assert.match(second.message, /close it and open it again$/)
        // That a commit isn't found doesn't mean then that it never happened.
        assert.strictEqual((yield* errorOf(backend.resolve("never used")))._tag, "Unavailable")
      })))
      assert.deepStrictEqual(warnings, [])
    }))
})
