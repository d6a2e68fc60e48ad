/** What the bench can't work with it says in a line, and what others left behind it removes. */
import { execFile } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterEach, beforeEach, expect, test } from "vitest"
import { makePlaces } from "../../bench/harness/place.ts"
import { Unusable } from "../../bench/harness/unusable.ts"
import { readKept, replaceFile } from "../../bench/report/kept-file.ts"

const main = fileURLToPath(new URL("../../bench/main.ts", import.meta.url))

const bench = (...args: ReadonlyArray<string>) =>
  promisify(execFile)(process.execPath, ["--conditions=source", main, "--quick", "--no-peers", ...args])

let directory = ""
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "persist-refusals-"))
})
afterEach(() => rmSync(directory, { recursive: true }))

test("options that can't be followed are told of before anything is measured", { timeout: 60_000 }, async () => {
  const file = join(directory, "file")
  writeFileSync(file, "")
  const refused: ReadonlyArray<readonly [says: RegExp, ...args: ReadonlyArray<string>]> = [
    [/^stores can't be made below .*missing.*--directory/, "--directory", join(directory, "missing")],
    [/^stores can't be made below .*ENOTDIR.*--directory/, "--directory", file],
    [/^no workload's name begins with "typo": see --list/, "--only", "append-1", "--only", "typo"],
    [/^no workload's name begins with ""/, "--only", ""],
    [/^there is no store oracle.*see --help$/m, "--store", "oracle"],
    [/^--save needs the other libraries/, "--save"]
  ]
  const told = await Promise.all(
    refused.map(([, ...args]) => bench(...args).then(() => "measured", ({ code, stderr }) => `${stderr}${code}`))
  )
  for (const [n, [says]] of refused.entries()) {
    expect(told[n]).toMatch(says)
    expect(told[n]?.split("\n")).toHaveLength(2)
    expect(told[n]).toMatch(/\n2$/)
  }
})

test("where no side does the work nothing was measured", { timeout: 60_000 }, async () => {
  await expect(bench("--store", "memory", "--only", "latency-other-half")).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("no side of these stores does what was chosen")
  })
})

test("results that aren't the bench's are named, with what to do", () => {
  const path = join(directory, "results.json")
  expect(readKept(path)).toBeUndefined()
  for (const [text, says] of [["{\"rows\": [", "can't be read"], ["", "can't be read"], ["[]", "isn't what"]]) {
    writeFileSync(path, text ?? "")
    expect(() => readKept(path)).toThrow(Unusable)
    expect(() => readKept(path)).toThrow(new RegExp(`results.json ${says}.*git checkout`))
  }
})

test("a file that can't be put in place leaves what was there, and nothing beside it", () => {
  mkdirSync(join(directory, "taken", "full"), { recursive: true })
  expect(() => replaceFile(join(directory, "taken"), "text")).toThrow(/taken/)
  expect(readdirSync(directory)).toEqual(["taken"])
})

test("what a bench left that was killed is removed by the next one, and nobody else's", () => {
  const left = `persist-bench-${2 ** 22 + 1}-abc`
  const others = [`persist-bench-${process.ppid}-abc`, "persist-bench-of-mine", "persist-other-1-abc"]
  for (const name of [left, ...others]) mkdirSync(join(directory, name, "0"), { recursive: true })
  const places = makePlaces(directory)
  expect(existsSync(join(directory, left))).toBe(false)
  places.remove()
  expect(readdirSync(directory).toSorted()).toEqual(others.toSorted())
})

test("a signal ends it once it has removed its stores, also when it comes twice", { timeout: 60_000 }, async () => {
  for (const signal of ["SIGINT", "SIGHUP"] as const) {
    const running = bench("--store", "sqlite", "--only", "append-64", "--directory", directory)
    const ended = running.then(() => 0, ({ code }) => Number(code))
    await expect.poll(() => readdirSync(directory, { recursive: true }).length, { timeout: 30_000 }).toBeGreaterThan(3)
    running.child.kill(signal)
    running.child.kill(signal)
    expect(await ended).toBe(signal === "SIGINT" ? 130 : 129)
    expect(readdirSync(directory)).toEqual([])
  }
})
