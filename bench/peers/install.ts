/** Installs the libraries that the bench compares with, by their own lock, when they are first needed. */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const directory = fileURLToPath(new URL(".", import.meta.url))

/** Whether they are there, after trying to bring them. */
export const installPeers = (say: (line: string) => void): boolean => {
  // npm leaves a copy of the lock in what it has installed.
  const installed = `${directory}node_modules/.package-lock.json`
  const names = Object.keys(JSON.parse(readFileSync(`${directory}package.json`, "utf8")).dependencies)
  if (existsSync(installed) && names.every((name) => existsSync(`${directory}node_modules/${name}`))) return true
  say("installing other libraries below bench/peers …")
  // Not `ci`, which asks a lock to name what some registries lack: builds for other platforms.
  const args = ["install", "--no-save", "--no-audit", "--no-fund"]
  const { status, stderr } = spawnSync("npm", args, { cwd: directory, encoding: "utf8" })
  if (status !== 0) say(stderr)
  return status === 0
}
