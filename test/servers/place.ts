/**
 * Directories for servers, each named for the process that owns it: what a process left that was killed is found by
 * the next one that starts a server, which ends it and removes its directory.
 */
import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { handOver } from "./account.ts"
import { isAlive, isOf, signalAll } from "./processes.ts"

const prefix = "persist-server-"

/** The lines of a server's pid file; none where there is no such file. */
const linesOf = (path: string): ReadonlyArray<string> => {
  try {
    return readFileSync(path, "utf8").split("\n")
  } catch {
    return []
  }
}

/** Where the servers of a directory say what their process is: each cluster of PostgreSQL, and pgbouncer. */
const pidFilesOf = (directory: string): ReadonlyArray<string> => [
  join(directory, "pgbouncer.pid"),
  ...readdirSync(directory).map((name) => join(directory, name, "postmaster.pid"))
]

// PostgreSQL locks its data by a piece of System V memory, which outlives a kill -9; its id ends the seventh line.
const freeMemory = (lines: ReadonlyArray<string>): void => {
  const id = lines[6]?.trim().split(/\s+/)[1]
  if (id === undefined) return
  try {
    execFileSync("ipcrm", ["-m", id], { stdio: "ignore" })
  } catch {
    // It's gone, or another's by now.
  }
}

/** Ends whatever server runs below a directory, and removes the directory. */
export const clear = (directory: string): void => {
  try {
    for (const lines of pidFilesOf(directory).map(linesOf)) {
      const pid = Number(lines[0])
      if (pid > 0 && isOf(pid, directory)) signalAll(pid, "SIGKILL")
      freeMemory(lines)
    }
    rmSync(directory, { recursive: true, force: true })
  } catch {
    // Another process clears it as well.
  }
}

const own = new Set<string>()

const clearOwn = (): void => own.forEach(clear)

const sweep = (): void => {
  process.once("exit", clearOwn)
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
    process.once(signal, () => {
      clearOwn()
      process.kill(process.pid, signal)
    })
  }
  for (const name of readdirSync(tmpdir())) {
    if (name.startsWith(prefix) && !isAlive(Number(name.split("-")[2]))) clear(join(tmpdir(), name))
  }
}

let swept = false

/** Makes an empty directory that the servers' account owns. It is cleared when this process ends, if not before. */
export const newDirectory = (): string => {
  if (!swept) sweep()
  swept = true
  const directory = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
  chmodSync(directory, 0o755)
  handOver(directory)
  own.add(directory)
  return directory
}

/** Clears a directory of `newDirectory` before the process ends. */
export const removeDirectory = (directory: string): void => {
  own.delete(directory)
  clear(directory)
}
