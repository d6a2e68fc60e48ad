/** Installs the libraries that the bench compares with, by their own lock, when they are first needed. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { versionOf } from "./load.ts"

const directory = fileURLToPath(new URL(".", import.meta.url))

// Not `ci`, which asks a lock to name what some registries lack: builds for other platforms. Where there is no network
// it's said soon, not after minutes of trying.
const args = ["install", "--no-save", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-retry-maxtimeout=5000"]

/** Whether they are there, each in the version that is asked for, after trying to bring them. */
export const installPeers = async (say: (line: string) => void): Promise<boolean> => {
  const wanted: Readonly<Record<string, string>> = JSON.parse(readFileSync(`${directory}package.json`, "utf8"))
    .dependencies
  const lacking = () => Object.entries(wanted).filter(([name, version]) => versionOf(name) !== version)
  if (lacking().length === 0) return true
  say("installing other libraries below bench/peers, which takes a minute or two; --no-peers goes without them …")
  const npm = spawn("npm", args, { cwd: directory, stdio: ["ignore", "ignore", "inherit"] })
  const end = () => npm.kill()
  process.once("exit", end)
  await once(npm, "exit")
  process.off("exit", end)
  const missing = lacking().map(([name, version]) => `${name} ${version}`)
  if (missing.length > 0) say(`not there: ${missing.join(", ")}`)
  return missing.length === 0
}
