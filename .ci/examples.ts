/** Runs every example in an empty directory of its own; what one prints is shown when it fails. */
import { spawnSync } from "node:child_process"
import { globSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const limit = 120_000
const examples = globSync(["examples/*.ts", "examples/*/main.ts"]).sort()
if (examples.length === 0) throw new Error("no example in examples/")

const passes = (example: string): boolean => {
  const cwd = mkdtempSync(join(tmpdir(), "persist-example-"))
  const started = performance.now()
  const { PERSIST_URL: _, ...env } = process.env
  const run = spawnSync(process.execPath, ["--conditions=source", resolve(example)], {
    cwd,
    env,
    encoding: "utf8",
    timeout: limit
  })
  rmSync(cwd, { recursive: true, force: true })
  const passed = run.status === 0
  console.log(`${passed ? "ok    " : "FAILED"} ${example} ${Math.round(performance.now() - started)} ms`)
  if (!passed) console.error(run.stdout, run.stderr, run.error ?? `exit code ${run.status ?? run.signal}`)
  return passed
}

const failed = examples.filter((example) => !passes(example))
if (failed.length > 0) {
  console.error(`${failed.length} of ${examples.length} examples failed: ${failed.join(", ")}`)
  process.exitCode = 1
}
