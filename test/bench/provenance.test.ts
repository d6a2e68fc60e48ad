/** What the bench knows of what it measures on, and that it holds no run against one of another kind. */
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, test } from "vitest"
import { describeMachine, fileSystemOf, timeFsync } from "../../bench/harness/machine.ts"
import { makePlaces } from "../../bench/harness/place.ts"
import { versionOf } from "../../bench/peers/load.ts"

const main = fileURLToPath(new URL("../../bench/main.ts", import.meta.url))

test("neither compares nor saves what is of another kind than what is kept", { timeout: 60_000 }, async () => {
  for (const option of ["--compare", "--save"]) {
    const args = ["--conditions=source", main, "--quick", "--store", "memory", "--only", "append-1", option]
    await expect(promisify(execFile)(process.execPath, args)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("a run that wasn't quick")
    })
  }
})

test("tells file systems apart, by name or by number", () => {
  expect(describeMachine(tmpdir()).fileSystem).toBe(fileSystemOf(tmpdir()))
  expect(fileSystemOf(tmpdir())).toMatch(/^(\w+|file system 0x[0-9a-f]+)$/)
  expect(timeFsync(tmpdir())).toBeGreaterThan(0)
})

test("flushes are timed where there are any", () => {
  const places = makePlaces()
  try {
    expect(places.flush("sqlite")).toBeGreaterThan(0)
    expect(places.flush("memory")).toBeUndefined()
  } finally {
    places.remove()
  }
})

test("knows which version of a library is installed", () => {
  const { devDependencies } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
  expect(versionOf("vitest")).toBe(devDependencies.vitest)
  expect(versionOf("no-such-library")).toBeUndefined()
})

test("PostgreSQL says its version, what it was set to, and where its data lies", { timeout: 120_000 }, async () => {
  const places = makePlaces()
  try {
    const { data, settings, version } = await places.postgres()
    expect(version).toMatch(/^\d+\.\d+/)
    expect(settings).toMatchObject({ fsync: "on", synchronous_commit: "on" })
    const elsewhere = process.env.PERSIST_TEST_POSTGRES !== undefined
    expect(data).toContain(elsewhere ? "that server" : fileSystemOf(tmpdir()))
    expect(places.flush("postgres") === undefined).toBe(elsewhere)
  } finally {
    places.remove()
  }
})
