/** What measurements were taken on, so that they can be compared with others. */
import Database from "better-sqlite3"
import { spawnSync } from "node:child_process"
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs"
import { availableParallelism, cpus, release, totalmem, type } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { median } from "./statistics.ts"

/** A machine, its versions, and what a flush to its disk takes. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly sqlite: string
  /** Its version and whether it flushes; where it took part. */
  readonly postgres?: string
  /** Writing 4 KiB at the end of a file and fsync, in milliseconds: the median of 100. */
  readonly fsyncMillis: number
}

/** Describes this machine, and its disk where `directory` is. */
export const describeMachine = (directory: string): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release()}`,
  node: process.versions.node,
  sqlite: sqliteVersion(),
  fsyncMillis: Number(timeFsync(join(directory, "fsync")).toFixed(3))
})

const sqliteVersion = (): string => {
  const db = new Database(":memory:")
  const version = db.prepare<[], string>("SELECT sqlite_version()").pluck().get()
  db.close()
  return version ?? "unknown"
}

const timeFsync = (path: string): number => {
  const file = openSync(path, "w")
  const page = Buffer.alloc(4096, 1)
  const taken = Array.from({ length: 100 }, () => {
    const from = performance.now()
    writeSync(file, page)
    fsyncSync(file)
    return performance.now() - from
  })
  closeSync(file)
  rmSync(path)
  return median(taken)
}

const git = (...args: ReadonlyArray<string>): string => {
  const cwd = fileURLToPath(new URL("../..", import.meta.url))
  const { status, stdout } = spawnSync("git", args, { cwd, encoding: "utf8" })
  return status === 0 ? stdout.trim() : ""
}

/** The commit that is measured; says so where what is measured or measures has changed since. */
export const commitOf = (): string => {
  const commit = git("rev-parse", "--short", "HEAD") || "unknown"
  // What was kept of results before changes nothing.
  const kept = [":!bench/results.*", ":!bench/growth.json", ":!bench/growth-*.svg"]
  const changed = git("status", "--porcelain", "--", "packages", "bench", ...kept)
  return changed === "" ? commit : `${commit} with changes`
}
