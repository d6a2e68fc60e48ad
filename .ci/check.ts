/**
 * Every check a change must pass, one after another, stopping at the first that fails.
 * With `--all` none is left out, and the last line counts: `N passed, N failed`.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const checks = ["format:check", "lint", "types", "test", "examples"]

const all = process.argv.includes("--all")
const directory = mkdtempSync(join(tmpdir(), "persist-check-"))
const report = join(directory, "tests.json")

const run = (check: string): boolean => {
  const counting = ["--", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`]
  const args = ["run", check, ...all && check === "test" ? counting : []]
  console.log(`\n── npm ${args.slice(0, 2).join(" ")}`)
  const npm = spawnSync("npm", args, { stdio: ["ignore", "inherit", "inherit"], shell: process.platform === "win32" })
  return npm.status === 0
}

const count = (): { passed: number; failed: number } => {
  try {
    const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(report, "utf8"))
    return { passed: Number(numPassedTests), failed: Number(numFailedTests) }
  } catch {
    return { passed: 0, failed: 0 } // The tests didn't get as far as a report; the check itself has failed.
  }
}

// What the table of requirements names must be among what just ran.
const requirementsHold = (): boolean => {
  console.log("\n── requirements")
  const script = join(import.meta.dirname, "requirements.ts")
  return spawnSync(process.execPath, [script, report], { stdio: ["ignore", "inherit", "inherit"] }).status === 0
}

const failures: Array<string> = []
for (const check of checks) {
  if (run(check)) continue
  failures.push(check)
  if (!all) break
}
if (all && !failures.includes("test") && !requirementsHold()) failures.push("requirements")

console.log(failures.length === 0 ? "\nevery check passed" : `\nfailed: ${failures.join(", ")}`)
if (failures.length > 0) process.exitCode = 1
if (all) {
  const { failed, passed } = count()
  // A check that failed counts once, the tests as many times as tests failed.
  const others = failures.filter((check) => check !== "test" || failed === 0).length
  console.log(`${passed} passed, ${failed + others} failed`)
}
rmSync(directory, { recursive: true })
