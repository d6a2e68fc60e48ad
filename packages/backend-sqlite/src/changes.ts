/** Wake-ups: commits of this handle at once, those of other connections by looking for them while somebody listens. */
import { makeSignal, type Signal } from "@persist/core"
import type Database from "better-sqlite3"
import * as Result from "effect/Result"

/** A signal that ends with the handle. */
export interface Changes extends Signal {
  /** Stops looking and wakes all who listen, so that they meet the closed handle. */
  readonly close: () => void
}

/** Makes the `changes` of a handle, which looks every `interval` milliseconds at a file; a look costs some 2 µs. */
export const makeChanges = (db: Database.Database, interval: number): Changes => {
  const dataVersion = db.prepare<[], number>("PRAGMA data_version").pluck()
  let seen: number | undefined
  let timer: NodeJS.Timeout | undefined

  const signal = makeSignal((listeners) => listeners > 0 ? start() : stop())
  // A file that can't be looked at counts as changed: who listens then reads, and is told what is wrong.
  const look = (): number | undefined => Result.getOrUndefined(Result.try(() => dataVersion.get()))
  const start = (): void => {
    if (timer !== undefined || db.memory || !db.open) return
    seen = look()
    // A plain timer, not the Clock: it waits for other processes, which a test's clock doesn't govern.
    timer = setInterval(() => {
      const version = look()
      if (version !== undefined && version === seen) return
      seen = version
      signal.notify()
    }, interval)
    timer.unref()
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }

  return {
    ...signal,
    close: () => {
      stop()
      signal.notify()
    }
  }
}
