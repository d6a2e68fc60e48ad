/** What the file operations make of sizes that are too large, and of files whose names are taken away. */
import { assert, describe, it } from "@effect/vitest"
import { disk } from "@persist/backend-file/disk"
import { hashOf } from "@persist/backend-file/log/frame"
import { Offsets } from "@persist/backend-file/log/offsets"
import { OpenSegment } from "@persist/backend-file/log/open-segment"
import { LimitExceeded, Position } from "@persist/core"
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./place.ts"

describe("a write", () => {
  it("of more than Node takes at once is divided", () => {
    const fd = disk.open("/dev/null", "write")
    // Nothing is in it, and nobody looks: it takes no memory.
    assert.doesNotThrow(() => disk.write(fd, Buffer.allocUnsafeSlow(2 ** 31 + 1), 0))
    disk.close(fd)
  })

  it("to a place that the format can't tell is refused, and nothing is written", () => {
    const end = 2 ** 32 - 100
    const at = { head: Position(7), chain: hashOf("a frame") }
    // Whatever is done with such a file fails otherwise.
    const file = { path: "a", fd: -1, first: Position(1), generation: 0, end, offsets: new Offsets(), ...at }
    const segment = new OpenSegment(disk, file, 1024)
    assert.throws(() => segment.append(Buffer.alloc(200), at), LimitExceeded, "4294967396 bytes of one file of the log")
    assert.deepStrictEqual([segment.end, segment.head], [end, at.head])
  })
})

describe("a file that is open", () => {
  const cases: ReadonlyArray<readonly [fate: string, meet: (path: string) => void, isNamed: boolean]> = [
    ["is left alone", () => undefined, true],
    ["is moved", (path) => renameSync(path, `${path}.old`), true],
    ["is removed", (path) => rmSync(path), false],
    ["is removed, and another is made there", (path) => {
      rmSync(path)
      writeFileSync(path, "another")
    }, false],
    ["is replaced", (path) => {
      writeFileSync(`${path}.new`, "another")
      renameSync(`${path}.new`, path)
    }, false]
  ]
  it.each(cases)("and %s: whether it has a name is known", (_, meet, isNamed) => {
    const directory = mkdtempSync(join(root, "persist-disk-"))
    const path = join(directory, "a")
    const fd = disk.create(path)
    try {
      meet(path)
      assert.strictEqual(disk.isNamed(fd), isNamed)
    } finally {
      disk.close(fd)
      rmSync(directory, { recursive: true })
    }
  })
})
