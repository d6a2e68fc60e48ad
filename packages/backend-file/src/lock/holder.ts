/** Who holds a lock, and what has become of it: found out by asking the system about its process. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { readFileSync, readlinkSync } from "node:fs"
import { hostname } from "node:os"

/** What a lock says of its holder; `null` where the system doesn't tell. */
const Stored = Schema.Struct({
  kind: Schema.Literal("persist lock"),
  pid: Schema.Int,
  /** When the process started, in the system's own unit: a number that was used again has another. */
  started: Schema.NullOr(Schema.String),
  /** Where its number means something: this machine, since it was started, in this namespace of processes. */
  host: Schema.String,
  machine: Schema.NullOr(Schema.String),
  boot: Schema.NullOr(Schema.String),
  namespace: Schema.NullOr(Schema.String),
  /** The file that this was written to: in a copy of the directory it says what isn't so. */
  inode: Schema.String
})

/** Who holds a lock. */
export type Holder = typeof Stored.Type

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Stored))

/** A holder as the text of its lock. */
export const textOf = (holder: Holder): string => `${JSON.stringify(holder, undefined, 2)}\n`

/** Who a lock's text says that holds it; `undefined` where it says nothing, as a machine's crash may leave it. */
export const holderOf = (text: string): Holder | undefined => Result.getOrUndefined(decode(text))

/** This process, as the holder of a lock in a file. */
export const thisProcess = (inode: string): Holder => ({
  kind: "persist lock",
  pid: process.pid,
  started: startOf("self"),
  host: hostname(),
  machine: read("/etc/machine-id"),
  boot: read("/proc/sys/kernel/random/boot_id"),
  namespace: link("/proc/self/ns/pid"),
  inode
})

/** Whether a holder's process has ended, or is there (stopped maybe), or can't be looked up from here. */
export type Fate = "ended" | "there" | "elsewhere"

/** What has become of a holder whose lock is in the file with this inode. */
export const fateOf = (holder: Holder, inode: string): Fate => {
  const here = thisProcess(inode)
  const same = (["host", "machine", "namespace"] as const).every((field) => holder[field] === here[field])
  if (!same) return "elsewhere"
  if (holder.boot !== here.boot || holder.inode !== inode) return "ended"
  if (!exists(holder.pid)) return "ended"
  // In a namespace that kept the /proc of another one, numbers in it are those of others.
  const started = link("/proc/self") === String(process.pid) ? startOf(String(holder.pid)) : holder.started
  return started === holder.started || started === null ? "there" : "ended"
}

// Whether the system knows such a process; one that it doesn't let us signal is there, too.
const exists = (pid: number): boolean => {
  const asked = Result.try(() => process.kill(pid, 0))
  return Result.isSuccess(asked) || !(asked.failure instanceof Error && "code" in asked.failure) ||
    asked.failure.code !== "ESRCH"
}

// The 22nd field, of which the second, a name, may hold anything; a process that was killed and that nobody has asked
// about yet is a zombie, and doesn't count.
const startOf = (pid: string): string | null => {
  const text = read(`/proc/${pid}/stat`)
  if (text === null) return null
  const [state, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ")
  return state === "Z" || state === "X" ? "ended" : rest[18] ?? null
}

const read = (path: string): string | null =>
  Result.getOrElse(Result.try(() => readFileSync(path, "utf8").trim()), () => null)

const link = (path: string): string | null => Result.getOrElse(Result.try(() => readlinkSync(path)), () => null)
