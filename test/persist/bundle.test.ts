/** What a browser is given: a bundle without drivers that can't run there, and a store in memory that works. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type OutputChunk, rolldown } from "rolldown"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { root } from "../tidy/tree.ts"

const program = `
import { open } from "persist"
await using store = await open("memory:")
await store.kv("n").put("a", 1)
console.log(await store.kv("n").get("a"))
console.log(String(await open("sqlite:app.db").catch((error) => error)))
`

let directory = ""
let chunks: ReadonlyArray<OutputChunk> = []
const warnings: Array<string> = []

beforeAll(async () => {
  // Inside the project, where the bundler finds its packages.
  mkdirSync(join(root, ".cache/bundle"), { recursive: true })
  directory = mkdtempSync(join(root, ".cache/bundle/run-"))
  writeFileSync(join(directory, "program.ts"), program)
  const bundle = await rolldown({
    input: join(directory, "program.ts"),
    platform: "browser",
    resolve: { conditionNames: ["source", "browser", "import", "default"] },
    onLog: (_, { message }) => warnings.push(message)
  })
  const { output } = await bundle.write({ dir: join(directory, "out"), format: "esm" })
  chunks = output.filter((chunk) => chunk.type === "chunk")
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe("a bundle for browsers", () => {
  it("is made without a warning", () => {
    expect(warnings).toEqual([])
    expect(chunks.length).toBeGreaterThan(0)
  })

  it("holds no driver and asks for nothing of Node's", () => {
    const modules = chunks.flatMap(({ moduleIds }) => moduleIds)
    expect(modules.some((id) => id.includes("backend-memory"))).toBe(true)
    expect(modules.filter((id) => /better-sqlite3|backend-sqlite/.test(id))).toEqual([])
    // Who runs no processors doesn't load what runs them.
    expect(modules.filter((id) => id.includes("packages/runner"))).toEqual([])
    const names = new Set(chunks.map(({ fileName }) => fileName))
    expect(
      chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]).filter((id) => !names.has(id))
    )
      .toEqual([])
  })

  it("loads the driver of a store in memory only when one is opened", () => {
    const entry = chunks.find(({ isEntry }) => isEntry)
    const staticIds = new Set([entry?.fileName, ...entry?.imports ?? []])
    const early = chunks.filter(({ fileName }) => staticIds.has(fileName)).flatMap(({ moduleIds }) => moduleIds)
    expect(early.filter((id) => id.includes("backend-memory"))).toEqual([])
  })

  it("runs, and says of a scheme that can't that it can't", () => {
    const out = join(directory, "out", "program.js")
    const { stderr, stdout } = spawnSync(process.execPath, [out], { encoding: "utf8" })
    expect(stderr).toBe("")
    expect(stdout).toBe(
      "1\nUnavailable: open: the driver of sqlite: can't be loaded here; " +
        "install @persist/backend-sqlite for this platform, or use another scheme\n"
    )
  })
})
