/** The tour that `npm start` takes: every figure as it should be, and nothing left behind, also when it is stopped. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { stripVTControlCharacters } from "node:util"
import { afterAll, expect, test } from "vitest"
import { root } from "../tidy/tree.ts"

const directory = mkdtempSync(join(tmpdir(), "persist-scenario-"))
afterAll(() => rmSync(directory, { recursive: true }))

const limit = 120_000

const take = (seen: (text: string, stop: () => void) => void = () => undefined) => {
  const args = ["--conditions=source", join(root, "examples/repository-history/tour.ts")]
  const tour = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: directory, TEMP: directory } })
  let output = ""
  tour.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
    seen(output, () => tour.kill("SIGINT"))
  })
  tour.stderr.setEncoding("utf8").on("data", (text: string) => output += text)
  return once(tour, "close").then(([code]) => ({ code, output }))
}

test("the tour ends with every value as it should be, in plain lines where nobody watches", async () => {
  const { code, output } = await take()
  expect(output).toMatch(/ok: [\d,]+ values compared, all as they should be/)
  expect(output).not.toContain("WRONG")
  expect(stripVTControlCharacters(output)).toBe(output)
  expect(code).toBe(0)
  expect(readdirSync(directory)).toEqual([])
}, limit)

test.each(["1  Import it", "3  Kill"])("stopped at %j it leaves nothing behind", async (marker) => {
  const { code, output } = await take((text, stop) => {
    if (text.includes(marker)) stop()
  })
  expect(output).toContain(marker)
  expect(code).toBe(130)
  expect(readdirSync(directory)).toEqual([])
}, limit)
