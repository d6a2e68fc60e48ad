/** What measurements were taken on, so that they can be compared with others. */
import Database from "better-sqlite3"
import { spawnSync } from "node:child_process"
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs"
import { availableParallelism, cpus, release, totalmem, type } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { median } from "./statistics.ts"

/** A server of PostgreSQL. */
export interface Postgres {
  readonly version: string
  /** Those that move the figures, by their names, as the server writes them. */
  readonly settings: Readonly<Record<string, string>>
  /** Where its data lies: on which kind of file system of this machine, or elsewhere. */
  readonly data: string
}

/** A server of PostgreSQL in words. */
export const postgresOf = ({ data, settings, version }: Postgres): string => {
  const known = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
  return [`PostgreSQL ${version}, its data ${data}`, ...known].join(", ")
}

/** A machine, its versions, and the kind of disk that stores are made on: what figures of one table have in common. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly sqlite: string
  /** The kind of file system where stores are made. */
  readonly fileSystem: string
  /** Where it took part. */
  readonly postgres?: Postgres
}

/** Describes this machine, and what `directory` lies on. */
export const describeMachine = (directory: string): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release()}`,
  node: process.versions.node,
  sqlite: sqliteVersion(),
  fileSystem: fileSystemOf(directory)
})

/** The numbers by which file systems are told apart, of those that stores are likely to lie on. */
const fileSystems: Readonly<Record<number, string>> = {
  0x1a: "APFS",
  0x6969: "NFS",
  0xef53: "ext4",
  0x01021994: "tmpfs",
  0x2fc12fc1: "ZFS",
  0x58465342: "XFS",
  0x65735546: "FUSE",
  0x794c7630: "overlayfs",
  0x9123683e: "Btrfs"
}

/** The kind of file system that a directory lies on; its number where that is all that is known. */
export const fileSystemOf = (directory: string): string => {
  const { type: number } = statfsSync(directory)
  return fileSystems[number] ?? `file system 0x${number.toString(16)}`
}

const sqliteVersion = (): string => {
  const db = new Database(":memory:")
  const version = db.prepare<[], string>("SELECT sqlite_version()").pluck().get()
  db.close()
  return version ?? "unknown"
}

/** Writing 4 KiB at the end of a file in a directory and fsync, in milliseconds: the median of 100. */
export const timeFsync = (directory: string): number => {
  const path = join(directory, `persist-bench-fsync-${process.pid}`)
  const file = openSync(path, "w")
  const page = Buffer.alloc(4096, 1)
  try {
    const taken = Array.from({ length: 100 }, () => {
      const from = performance.now()
      writeSync(file, page)
      fsyncSync(file)
      return performance.now() - from
    })
    return Number(median(taken).toFixed(3))
  } finally {
    closeSync(file)
    rmSync(path)
  }
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
