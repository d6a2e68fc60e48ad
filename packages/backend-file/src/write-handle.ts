/** A store that this process writes. */
import type { BackendShape, StoreError } from "@persist/core"
import { makeSignal } from "@persist/core"
import { atOnce, suspended } from "@persist/core/posted"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import { Compaction } from "./compaction/compaction.ts"
import type { Settings } from "./config.ts"
import type { Disk } from "./disk.ts"
import { closed } from "./error.ts"
import type { Journal } from "./journal.ts"
import { type OpenedStore, openStore } from "./open-store.ts"
import type { Readable } from "./read-log.ts"
import { aboutStore, type Reading, readingVerbs } from "./verbs.ts"
import { Writer } from "./writer.ts"

/** A store that is open for writing, and what goes on beside. */
export interface WriteHandle {
  readonly backend: BackendShape
  readonly compaction: Compaction
  readonly journal: Journal
}

/** Opens a store for writing, as {@link openStore} says; it closes with the scope. */
export const openForWriting = Effect.fnUntraced(function*(disk: Disk, settings: Settings) {
  const directory = settings.path
  const opened = yield* openStore(disk, settings)
  const signal = makeSignal()
  const compaction = new Compaction({
    ...opened,
    disk,
    directory,
    segmentBytes: settings.segmentBytes,
    stopped: () => writer.unsettled !== undefined,
    explain: (operation, cause) => writer.explain(operation, cause)
  })
  const writer = new Writer({
    ...opened,
    directory,
    notify: signal.notify,
    onSealed: compaction.lookAtSome,
    onRemoved: compaction.lookAtAll
  })
  let isOpen = true
  yield* Effect.addFinalizer(() =>
    Effect.andThen(
      writer.close,
      Effect.sync(() => {
        isOpen = false
        signal.notify()
      })
    )
  )
  // Begun after that, it ends before: nothing is compacted while the store is left.
  compaction.lookAtAll()
  yield* Effect.forkScoped(compaction.run)
  const backend = { ...verbsOf(opened, writer, () => isOpen), changes: signal.changes }
  return { backend, compaction, journal: opened.journal } satisfies WriteHandle
}) satisfies (disk: Disk, settings: Settings) => Effect.Effect<WriteHandle, StoreError, Scope>

const verbsOf = (
  { contents, journal }: OpenedStore,
  writer: Writer,
  isOpen: () => boolean
): Omit<BackendShape, "changes"> => {
  const readable: Readable = {
    contents,
    log: journal.log,
    get head() {
      return journal.open.head
    }
  }
  const reading: Reading = (operation, read) =>
    atOnce(() => {
      if (!isOpen()) throw closed(operation)
      return read(readable)
    }, (cause) => writer.explain(operation, cause))
  const verbs = readingVerbs(reading)
  return {
    ...verbs,
    about: aboutStore(journal.manifest.incarnation, false),
    commit: (batch) => suspended(() => isOpen() ? writer.commit(batch) : Effect.fail(closed("commit"))),
    // What isn't found may be on the disk all the same, where the outcome of the last commit isn't known.
    resolve: (id) =>
      Effect.flatMap(
        verbs.resolve(id),
        (found) =>
          Option.isNone(found) && writer.unsettled !== undefined ? Effect.fail(writer.unsettled) : Effect.succeed(found)
      )
  }
}
