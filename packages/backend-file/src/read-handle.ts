/** A store that another process may be writing, or nobody. */
import type { BackendShape, StoreError } from "@persist/core"
import { Denied, makeSignal, Unavailable } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { Scope } from "effect/Scope"
import type { Settings } from "./config.ts"
import { inspectDirectory } from "./directory.ts"
import type { Disk } from "./disk.ts"
import { classify, closed } from "./error.ts"
import { Follower, takenOver } from "./follower.ts"
import { attempt } from "./open-store.ts"
import { aboutStore, type Reading, readingVerbs } from "./verbs.ts"

/** Opens a store for reading; nothing in its directory is ever written. It closes with the scope. */
export const openForReading = Effect.fnUntraced(function*(disk: Disk, settings: Settings) {
  const directory = settings.path
  const identity = yield* attempt(directory, () => identityOf(disk, settings))
  const follower = yield* Effect.acquireRelease(
    Effect.sync(() => new Follower({ disk, directory, identity })),
    (opened) => Effect.sync(() => opened.close())
  )
  yield* attempt(directory, () => follower.refresh())
  const changes = makeChanges(follower, settings.pollInterval)
  let isOpen = true
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      isOpen = false
      changes.close()
    })
  )
  const reading: Reading = (operation, read) =>
    Effect.try({
      try: () => {
        if (!isOpen) throw closed(operation)
        return following(follower, operation, () => read(follower))
      },
      catch: (cause) => classify(operation, directory, cause)
    })
  const verbs = readingVerbs(reading)
  return {
    ...verbs,
    // What isn't found may be in what a dead writer left, until that was looked through.
    resolve: (id) =>
      Effect.flatMap(
        verbs.resolve(id),
        (found) => Option.isNone(found) && follower.isFenced ? Effect.fail(takenOver("resolve")) : Effect.succeed(found)
      ),
    about: aboutStore(follower.incarnation, true),
    commit: () => Effect.fail(refuseWrite()),
    changes: changes.changes
  } satisfies BackendShape
}) satisfies (disk: Disk, settings: Settings) => Effect.Effect<BackendShape, StoreError, Scope>

const identityOf = (disk: Disk, settings: Settings): string => {
  const identity = inspectDirectory(disk, settings)
  // It has thrown where there is none.
  if (identity === undefined) throw new Error("a store to be read has no identity")
  return identity
}

// Each time the writer has taken away a file that was to be read, there is a newer manifest.
const mostAttempts = 20

// Reads what is there now. A file that is gone by the time it's needed was replaced, so it's looked for once more.
const following = <A>(follower: Follower, operation: string, read: () => A): A => {
  for (let n = 1; n <= mostAttempts; n++) {
    follower.refresh()
    const result = Result.try({ try: read, catch: (cause) => cause })
    if (Result.isSuccess(result)) return result.success
    if (!follower.movedOn(result.failure)) throw result.failure
  }
  throw new Unavailable({
    operation,
    reason: "the store's writer replaces files faster than they can be read",
    remedy: "try again"
  })
}

const refuseWrite = (): Denied =>
  new Denied({
    operation: "commit",
    reason: "the store was opened with readonly",
    remedy: "open it without readonly to write"
  })

// Looks for what is new while somebody listens.
const makeChanges = (follower: Follower, interval: number) => {
  let timer: NodeJS.Timeout | undefined
  const signal = makeSignal((listeners) => listeners > 0 ? start() : stop())
  const start = (): void => {
    // A plain timer, not the Clock: it waits for other processes, which a test's clock doesn't govern.
    timer ??= setInterval(() => {
      // What can't be looked at counts as changed: who listens then reads, and is told what is wrong.
      if (Result.getOrElse(Result.try(() => follower.refresh()), () => true)) signal.notify()
    }, interval).unref()
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  return {
    changes: signal.changes,
    close: () => {
      stop()
      signal.notify()
    }
  }
}
