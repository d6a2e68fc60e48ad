/** The lock that makes a store's writer the only one, and that survives whatever becomes of its holder. */
import { type StoreError, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Scope } from "effect/Scope"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { type Disk, readFile, type Status } from "../disk.ts"
import { classify, codeOf } from "../error.ts"
import { fateOf, type Holder, holderOf, textOf, thisProcess } from "./holder.ts"

/** The lock of a store, held. */
export interface Lock {
  /**
   * Whether it's still ours. To be asked after each flush and before anybody is told of it: whoever takes the lock over
   * removes its file first and reads what was flushed then.
   */
  readonly held: () => boolean
}

// How often a holder shows that it's there, and how long one that can't be looked up must not have: in milliseconds.
const heartbeat = 1000
const patience = 10_000
const lookInterval = 500

/**
 * Takes the lock of the store in a directory, and gives it back with the scope. A holder whose process has ended loses
 * it at once, however it ended. One in another container or on another machine loses it after ten seconds in which it
 * showed no sign. Fails with `Unavailable` where the holder is there, be it stopped, and as `classify` says where the
 * disk fails.
 */
export const acquireLock = Effect.fnUntraced(function*(disk: Disk, directory: string) {
  const files = new LockFiles(disk, join(directory, "lock"))
  let watched: string | undefined
  for (let looks = 0;; looks++) {
    const found = yield* take(files, looks * lookInterval >= patience ? watched : undefined, directory)
    if ("held" in found) return found
    if (!found.elsewhere || (watched !== undefined && watched !== found.sign)) return yield* refusal(found)
    watched = found.sign
    yield* Effect.sleep(lookInterval)
  }
}) satisfies (disk: Disk, directory: string) => Effect.Effect<Lock, StoreError, Scope>

const take = (files: LockFiles, abandoned: string | undefined, directory: string) =>
  Effect.uninterruptible(Effect.tap(
    Effect.try({ try: () => files.take(abandoned), catch: (cause) => classify("open", directory, cause) }),
    (found) => "held" in found ? Effect.addFinalizer(() => Effect.sync(found.release)) : Effect.void
  ))

const refusal = ({ elsewhere, holder }: Busy): Unavailable => {
  const own = holder?.pid === process.pid && !elsewhere
  const who = holder === undefined ? "another process" : own ? "this process" : `process ${holder.pid}`
  const where = elsewhere ? ` on ${holder?.host ?? "an unknown machine"} (or in another container)` : ""
  return new Unavailable({
    operation: "open",
    reason: `${who}${where} has the store open for writing`,
    remedy: own
      ? "use that handle, or open it with readonly"
      : "close it there, end that process, or open it with readonly"
  })
}

/** A lock that another one holds, and the sign that the holder gives. */
interface Busy {
  readonly holder: Holder | undefined
  readonly elsewhere: boolean
  /** Changes as long as the holder is there. */
  readonly sign: string
}

/** What can be done with a lock that was taken. */
interface Taken extends Lock {
  readonly release: () => void
}

// Locks are numbered, and no number is taken twice: `n.held` and, given back, `n.free`. The highest counts.
const namePattern = /^(\d{10,16})\.(held|free)$/
const draftPattern = /\.tmp$/
const nameOf = (number: number, state: "held" | "free"): string => `${String(number).padStart(10, "0")}.${state}`

interface Entry {
  readonly name: string
  readonly number: number
  readonly isHeld: boolean
}

class LockFiles {
  private readonly disk: Disk
  private readonly directory: string

  constructor(disk: Disk, directory: string) {
    this.disk = disk
    this.directory = directory
  }

  /** Takes the lock where it's free or its holder has ended, or still shows the sign by which it's `abandoned`. */
  take(abandoned: string | undefined): Taken | Busy {
    this.disk.makeDirectory(this.directory)
    for (;;) {
      const last = this.entries().at(-1)
      if (last?.isHeld === true) {
        const busy = this.look(last)
        if (busy !== undefined && busy.sign !== abandoned) return busy
      }
      const taken = this.claim((last?.number ?? 0) + 1)
      if (taken !== undefined) return taken
    }
  }

  // Undefined where the holder has ended, or the lock has gone meanwhile.
  private look({ name }: Entry): Busy | undefined {
    const path = join(this.directory, name)
    try {
      const status = this.disk.status(path)
      const holder = holderOf(readFile(this.disk, path).toString())
      const fate = holder === undefined ? "elsewhere" : fateOf(holder, status.inode)
      return fate === "ended" ? undefined : { holder, elsewhere: fate === "elsewhere", sign: signOf(name, status) }
    } catch (cause) {
      if (codeOf(cause) !== "ENOENT") throw cause
      return undefined
    }
  }

  // Of those who claim a number one gets it; it counts unless somebody was further already.
  private claim(number: number): Taken | undefined {
    const path = join(this.directory, nameOf(number, "held"))
    const draft = `${path}.${randomBytes(6).toString("hex")}.tmp`
    const fd = this.disk.create(draft)
    const made = [draft]
    try {
      const { inode } = this.disk.status(fd)
      this.disk.write(fd, Buffer.from(textOf(thisProcess(inode))), 0)
      this.disk.sync(fd)
      this.disk.link(draft, path)
      made.push(path)
      if (!this.isLast(number)) return this.abandon(fd, made)
      // From here on whoever had the lock before isn't told any more that it holds it.
      this.sweep(number)
      return this.taken(fd, path, inode)
    } catch (cause) {
      this.abandon(fd, made)
      // Somebody else has got the number, or has swept away what looked like a dead process's draft.
      if (codeOf(cause) === "EEXIST" || codeOf(cause) === "ENOENT") return undefined
      throw cause
    }
  }

  private abandon(fd: number, made: ReadonlyArray<string>): undefined {
    quietly(() => this.disk.close(fd))
    for (const path of made) quietly(() => this.disk.remove(path))
  }

  private taken(fd: number, path: string, inode: string): Taken {
    // As long as it's open, no other file has its inode; and another name for it isn't the lock.
    const held = () => quietly(() => this.disk.status(path).inode === inode) ?? false
    // A plain timer, not the Clock: it's for other processes, which a test's clock doesn't govern.
    const timer = setInterval(() => quietly(() => this.disk.touch(fd)), heartbeat)
    timer.unref()
    return {
      held,
      release: () => {
        clearInterval(timer)
        // One that can't be given back is lost with its process.
        if (held()) quietly(() => this.disk.rename(path, path.replace(/held$/, "free")))
        quietly(() => this.disk.close(fd))
      }
    }
  }

  private isLast(number: number): boolean {
    const last = this.entries().at(-1)
    return last === undefined || (last.number === number && last.isHeld)
  }

  private sweep(number: number): void {
    for (const name of this.disk.list(this.directory)) {
      const entry = entryOf(name)
      if (entry === undefined ? draftPattern.test(name) : entry.number < number) {
        this.disk.remove(join(this.directory, name))
      }
    }
  }

  // In the order of their numbers; of one number the one that was given back is later.
  private entries(): ReadonlyArray<Entry> {
    return this.disk.list(this.directory).flatMap((name) => entryOf(name) ?? [])
      .sort((a, b) => a.number - b.number || Number(b.isHeld) - Number(a.isHeld))
  }
}

const entryOf = (name: string): Entry | undefined => {
  const [, number, state] = namePattern.exec(name) ?? []
  return number === undefined ? undefined : { name, number: Number(number), isHeld: state === "held" }
}

const signOf = (name: string, { inode, touched }: Status): string => `${name} ${inode} ${touched}`

// What fails here has failed for others before, who tell of it; nothing depends on this.
const quietly = <A>(use: () => A): A | undefined => Result.getOrUndefined(Result.try(use))
