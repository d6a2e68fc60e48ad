/**
 * Every check a change must pass, one after another, stopping at the first that fails.
 * With `--all` none is left out, and the last line counts: `N passed, N failed`.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const all = process.argv.includes("--all")
// What `test` asks already is asked of more by `test:thorough`, for as long again: too long for whoever waits for it.
const checks = ["format:check", "lint", "types", "test", ...all ? ["test:thorough"] : [], "examples"]
const tests = new Set(["test", "test:thorough"])

const directory = mkdtempSync(join(tmpdir(), "persist-check-"))
const reportOf = (check: string): string => join(directory, `${check.replace(":", "-")}.json`)

const run = (check: string): boolean => {
  const counting = ["--", "--reporter=default", "--reporter=json", `--outputFile.json=${reportOf(check)}`]
  const args = ["run", check, ...all && tests.has(check) ? counting : []]
  console.log(`\n── npm ${args.slice(0, 2).join(" ")}`)
  const npm = spawnSync("npm", args, { stdio: ["ignore", "inherit", "inherit"], shell: process.platform === "win32" })
  return npm.status === 0
}

const count = (check: string): { passed: number; failed: number } => {
  try {
    const { numFailedTests, numPassedTests } = JSON.parse(readFileSync(reportOf(check), "utf8"))
    return { passed: Number(numPassedTests), failed: Number(numFailedTests) }
  } catch {
    return { passed: 0, failed: 0 } // The tests didn't get as far as a report; the check itself has failed.
  }
}

// What the table of requirements names must be among what just ran.
const requirementsHold = (): boolean => {
  console.log("\n── requirements")
  const script = join(import.meta.dirname, "requirements.ts")
  return spawnSync(process.execPath, [script, reportOf("test")], { stdio: ["ignore", "inherit", "inherit"] }).status ===
    0
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
  const counts = new Map([...tests].map((check) => [check, count(check)]))
  const sum = (which: "passed" | "failed") => [...counts.values()].reduce((total, one) => total + one[which], 0)
  // A check that failed counts once, the tests as many times as tests failed.
  const others = failures.filter((check) => (counts.get(check)?.failed ?? 0) === 0).length
  console.log(`${sum("passed")} passed, ${sum("failed") + others} failed`)
}
rmSync(directory, { recursive: true })
