/** The index opened and brought up to date with the log, or made anew from it where it's damaged. */
import type { BackendError } from "@persist/core"
import { origin } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Contents } from "./contents/contents.ts"
import { places } from "./directory.ts"
import { classify } from "./error.ts"
import type { Journal, JournalOptions } from "./journal.ts"
import { restoring, rootOf, type ScannedSegment, scanSealed } from "./log/scan.ts"
import { inSlices } from "./slices.ts"
import { openTree } from "./tree/open-tree.ts"
import { DamagedRun, type DiskFault, type Tree } from "./tree/tree.ts"

/** What a store holds, and the index that tells it. */
export interface Indexed {
  readonly contents: Contents
  readonly tree: Tree
}

/**
 * Opens the index and tells it what it doesn't know yet of the log, whose end was read already. An index that is
 * damaged is made anew, which takes time and is logged. Fails with `Corrupt` where the log itself is damaged.
 */
export const openIndex = (
  options: JournalOptions,
  journal: Journal,
  tail: ScannedSegment | undefined
): Effect.Effect<Indexed, BackendError, Scope.Scope> => {
  const { directory } = options
  const opening = opened(options, journal, tail)
  return opening.pipe(
    Effect.catchTag(
      "DamagedRun",
      (damaged) =>
        Effect.logWarning(`The index of ${directory} is made anew: ${damaged.message}`).pipe(
          Effect.andThen(attempt(directory, () => journal.publish({ runs: [], through: origin }))),
          Effect.andThen(opening),
          Effect.tap(() => Effect.logInfo(`The index of ${directory} was made anew`))
        )
    ),
    Effect.catchTag("DamagedRun", (damaged) => Effect.fail(classify("open", directory, damaged)))
  )
}

// In a scope of its own, so that nothing is left of an attempt that failed.
const opened = (
  options: JournalOptions,
  journal: Journal,
  tail: ScannedSegment | undefined
): Effect.Effect<Indexed, BackendError | DamagedRun, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Scope.fork(yield* Effect.scope)
      return yield* Effect.onExit(
        restore(Scope.provide(brought(options, journal, tail), scope)),
        (exit) => Exit.isFailure(exit) ? Scope.close(scope, exit) : Effect.void
      )
    })
  )

const brought = Effect.fnUntraced(function*(
  options: JournalOptions,
  journal: Journal,
  tail: ScannedSegment | undefined
) {
  const { directory, disk } = options
  const { identity, runs, sealed, through } = journal.manifest
  const explain = (error: DiskFault | DamagedRun) =>
    error._tag === "DamagedRun" ? error : classify("open", directory, error)
  const inTurns = (work: () => Generator<void, void>) =>
    inSlices(work, Effect.yieldNow, (cause) => meaning(directory, cause))
  const tree = yield* Effect.mapError(
    openTree({ directory: places(directory).index, disk, runs, through, announce: journal.announce }),
    explain
  )
  const contents = new Contents(tree)
  let since = rootOf(identity)
  for (const [n, segment] of sealed.entries()) {
    if (segment.last > through) {
      const before = since
      yield* inTurns(function*() {
        const scanned = scanSealed(disk, places(directory).log, segment, before)
        yield
        yield* restoring(contents, scanned, through)
        contents.flush()
      })
      tree.seal(segment.last)
      // Not more of it in memory than has to be.
      yield* Effect.mapError(tree.sealed, explain)
      if ((n + 1) % reportEvery === 0) yield* Effect.logInfo(`${n + 1} of ${sealed.length} segments are in the index`)
    }
    since = { head: segment.last, chain: Buffer.from(segment.chain, "hex") }
  }
  if (tail !== undefined) yield* inTurns(() => restoring(contents, tail, through))
  return { contents, tree }
})

// Segments between two words on how far it has come.
const reportEvery = 64

const attempt = <A>(directory: string, use: () => A): Effect.Effect<A, BackendError | DamagedRun> =>
  Effect.try({ try: use, catch: (cause) => meaning(directory, cause) })

const meaning = (directory: string, cause: unknown): BackendError | DamagedRun =>
  cause instanceof DamagedRun ? cause : classify("open", directory, cause)
