/** The program prints the scoreboard of the fixtures that modules export, and ends with what it found. */
import { execFile } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"

let directory = ""

beforeAll(() => {
  // Within the project, so that it finds the packages, and where nobody looks for the project's own files.
  const cache = join(import.meta.dirname, "../../.cache")
  mkdirSync(cache, { recursive: true })
  directory = mkdtempSync(join(cache, "program-"))
  writeFileSync(
    join(directory, "fixtures.ts"),
    `import { make } from "@persist/backend-memory"
import { fromOpen } from "@persist/conformance"
import * as Effect from "effect/Effect"

export const right = fromOpen("right", make())
const nameless = Effect.map(make(), (backend) => ({ ...backend, about: { ...backend.about, name: "" } }))
export const wrong = fromOpen("wrong", nameless)
export default right`
  )
  writeFileSync(
    join(directory, "right.ts"),
    `export { right as default } from "./fixtures.ts"`
  )
})

afterAll(() => rmSync(directory, { recursive: true }))

const program = (...words: ReadonlyArray<string>) =>
  new Promise<{ readonly code: unknown; readonly out: string; readonly err: string }>((resolve) => {
    const bin = join(import.meta.dirname, "../../conformance/src/bin.ts")
    const run = ["--conditions=source", bin, ...words]
    execFile(
      process.execPath,
      run,
      { cwd: directory },
      (error, out, err) => resolve({ code: error?.code ?? 0, out, err })
    )
  })

it("ends with 0 where every law holds", async () => {
  const { code, out } = await program("--module", "./right.ts")
  expect(code).toBe(0)
  expect(out).toMatch(/right +memory +no +nothing +\d+ +\d+ +0 +(\d+)\/\1\n$/)
})

it("ends with 1 where a law is broken, and asks what is exported twice once", async () => {
  const { code, out } = await program("--json", "--module", "fixtures.ts")
  expect(code).toBe(1)
  const reports = JSON.parse(out) as ReadonlyArray<{ backend: string; passed: number; total: number }>
  expect(reports.map(({ backend, passed, total }) => [backend, passed === total])).toEqual([
    ["right", true],
    ["wrong", false]
  ])
})

it("ends with 2 where it is asked for nothing or for what it doesn't know, and says how to ask", async () => {
  for (const words of [[], ["--json"], ["--module"], ["--what"]]) {
    const { code, err } = await program(...words)
    expect([code, err]).toEqual([2, expect.stringContaining("usage:")])
  }
  writeFileSync(join(directory, "empty.ts"), "export const nothing = 1\n")
  const { code, err } = await program("--module", "./empty.ts")
  expect([code, err]).toEqual([2, "no fixture is exported by ./empty.ts\n"])
})
