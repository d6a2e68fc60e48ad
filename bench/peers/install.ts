/** Installs the libraries that the bench compares with, by their own lock, when they are first needed. */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { versionOf } from "./load.ts"

const directory = fileURLToPath(new URL(".", import.meta.url))

/** Whether they are there, each in the version that is asked for, after trying to bring them. */
export const installPeers = (say: (line: string) => void): boolean => {
  const wanted: Readonly<Record<string, string>> = JSON.parse(readFileSync(`${directory}package.json`, "utf8"))
    .dependencies
  const areThere = () => Object.entries(wanted).every(([name, version]) => versionOf(name) === version)
  if (areThere()) return true
  say("installing other libraries below bench/peers …")
  // Not `ci`, which asks a lock to name what some registries lack: builds for other platforms.
  const args = ["install", "--no-save", "--no-audit", "--no-fund"]
  const { status, stderr } = spawnSync("npm", args, { cwd: directory, encoding: "utf8" })
  if (status !== 0) say(stderr)
  return areThere()
}
