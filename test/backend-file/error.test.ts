/** Failures of the file system: told apart by their codes, each with what to do about it. */
import { assert, describe, it } from "@effect/vitest"
import { classify, Unsettled } from "@persist/backend-file/error"
import { DamagedRun, DiskFault } from "@persist/backend-file/tree/tree"
import { type BackendError, Corrupt } from "@persist/core"
import { systemError } from "./faults.ts"

const at = (code: string, syscall: string, path?: string): Error =>
  Object.assign(systemError(code, syscall), path === undefined ? {} : { path })

describe("the file system's errors", () => {
  const cases: ReadonlyArray<readonly [code: string, tag: BackendError["_tag"], said: RegExp]> = [
    ["ENOSPC", "Unavailable", /^commit: the disk is full: \/a\/data \(ENOSPC\); make space, then try again$/],
    ["EDQUOT", "Unavailable", /the disk quota is used up: .*; make space or raise the quota/],
    ["EFBIG", "Unavailable", /takes no larger file: .*; raise the limit/],
    ["EMFILE", "Unavailable", /the process has too many files open: .*; close some or raise the limit/],
    ["ENFILE", "Unavailable", /the system has too many files open/],
    ["ENOMEM", "Unavailable", /out of memory/],
    ["EIO", "Unavailable", /the disk failed: .*\(EIO\); check the disk/],
    ["ESTALE", "Unavailable", /the file system failed: .*\(ESTALE\); check it/],
    ["EACCES", "Denied", /permission is denied: .*; grant the process permission to use \/a\/data$/],
    ["EPERM", "Denied", /the system doesn't permit it/],
    ["EROFS", "Denied", /may only be read: .*; mount it for writing, or open the store with readonly/],
    ["ENOENT", "Corrupt", /^\/a\/data, at byte 0: the file is gone; run persist verify/]
  ]
  it.each(cases)("%s is %s", (code, tag, said) => {
    const error = classify("commit", "/a/data", at(code, "write"))
    assert.strictEqual(error._tag, tag)
    assert.match(error.message, said)
  })

  it("names the file where the system does", () => {
    const error = classify("open", "/a/data", at("EACCES", "open", "/a/data/store"))
    assert.include(error.message, "/a/data/store (EACCES)")
  })

  it("is told what it was beneath the index", () => {
    const full = classify("commit", "/a/data", new DiskFault({ cause: at("ENOSPC", "write") }))
    assert.match(full.message, /the disk is full/)
  })

  it("says of a damaged index that it's made anew", () => {
    const path = "/a/data/index/0000000001.run"
    const error = classify("get", "/a/data", new DamagedRun({ path, offset: 7, reason: "it's torn", missing: false }))
    assert.strictEqual(error._tag, "Unavailable")
    assert.match(error.message, /damaged \(.*0000000001.run, at byte 7: it's torn\); remove .*0000000001.run and open /)
  })

  it("says of a handle that has stopped after what", () => {
    const error = classify("commit", "/a/data", new Unsettled("a flush that failed", at("EIO", "fdatasync")))
    assert.match(error.message, /^commit: the store stopped after a flush that failed; close it and open it again$/)
  })

  it("leaves what is told apart already as it is", () => {
    const damaged = new Corrupt({ where: "here", reason: "r", remedy: "m" })
    assert.strictEqual(classify("get", "/a/data", damaged), damaged)
  })

  it.each([new TypeError("ENOSPC"), Object.assign(new Error("x"), { code: "ENOSPC" }), "ENOSPC"])(
    "%s is a bug, and stays one",
    (bug) => {
      assert.throws(() => classify("get", "/a/data", bug))
    }
  )
})
