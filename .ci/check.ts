/**
 * Every check a change must pass, one after another, stopping at the first that fails.
 * With `--all` none is left out, and the last line counts: `N passed, N failed`.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"

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

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly status: string
    readonly message?: string
    readonly assertionResults: ReadonlyArray<{
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: ReadonlyArray<string>
    }>
  }>
}

const read = (check: string): Report => {
  try {
    // The reporter of the vitest that this project pins wrote it, in this shape.
    return JSON.parse(readFileSync(reportOf(check), "utf8")) as Report
  } catch {
    // The tests didn't get as far as a report; the check itself has failed.
    return { numPassedTests: 0, numFailedTests: 0, testResults: [] }
  }
}

// Once more at the end, where whoever sees only the last lines of a long log finds them.
const tellFailed = ({ testResults }: Report): void => {
  for (const { assertionResults, message, name, status } of testResults) {
    const failed = assertionResults.filter((test) => test.status === "failed")
    for (const test of failed) {
      console.log(
        `\nFAILED ${relative(process.cwd(), name)}: ${test.fullName}\n${test.failureMessages?.join("\n") ?? ""}`
      )
    }
    if (failed.length === 0 && status === "failed") console.log(`\nFAILED ${relative(process.cwd(), name)}\n${message}`)
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
  const reports = new Map([...tests].map((check) => [check, read(check)]))
  for (const report of reports.values()) tellFailed(report)
  const sum = (which: "numPassedTests" | "numFailedTests") =>
    [...reports.values()].reduce((total, one) => total + one[which], 0)
  // A check that failed counts once, the tests as many times as tests failed.
  const others = failures.filter((check) => (reports.get(check)?.numFailedTests ?? 0) === 0).length
  console.log(`${sum("numPassedTests")} passed, ${sum("numFailedTests") + others} failed`)
}
rmSync(directory, { recursive: true })
