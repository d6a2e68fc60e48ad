/** Exporting a store as a tree, once or for good: whichever, it goes on from where the tree stopped. */
import { type Fenced, Invalid, Position, type StoreError, type StoreShape } from "@persist/core"
import * as Fault from "@persist/core/fault"
import { wakeUpsEnded } from "@persist/core/progress"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import { type FilesError, onFiles } from "./file-read.ts"
import { commonPosition, readMarker } from "./marker.ts"
import { Mirror } from "./mirror.ts"
import { TreeFiles } from "./tree-files.ts"

/** How a store is exported. */
export interface ExportTreeOptions {
  /** Write a tree that is there anew, also one of another store: what this store lacks is removed from it. */
  readonly replace?: boolean | undefined
}

/** How a tree is kept. */
export interface FollowTreeOptions<E = never> extends ExportTreeOptions {
  /** What is done after the tree was brought up to date, such as committing it; the next time waits for it. */
  readonly onExported?: ((exported: Exported) => Effect.Effect<void, E>) | undefined
}

/** The tree is up to date: it holds everything up to `position`. */
export interface Exported {
  readonly _tag: "Exported"
  /** Where it is, by its real path. */
  readonly directory: string
  readonly position: Position
  /** How many files were written this time; those that held the same already aren't counted. */
  readonly written: number
  /** How many files and directories were removed this time. */
  readonly removed: number
}

/**
 * Writes what a store holds into a directory as a tree of files that people read and git keeps: each value of the kv
 * as a file of its own, each stream as lines. Where there is a tree of this store already, it is brought up to date
 * from where it stopped: files whose keys and streams didn't change are left as they are. Whatever ends it, each file
 * is whole, and the next run goes on. `Fenced` where another process has begun to write the same tree.
 *
 * Fails with `Invalid` for a wrong option, a tree of another store, and whatever else is in the way; `Denied` where the
 * file system refuses, `Unavailable` where the disk is full, `Corrupt` for what isn't the JSON it should be, and as
 * every read; `Unsupported` where the store can't list what it holds.
 */
export const exportTree = (
  store: StoreShape,
  directory: string,
  options: ExportTreeOptions = {}
): Effect.Effect<Exported | Fenced, StoreError> =>
  keeping<Exported>(
    store,
    directory,
    options,
    ["replace"],
    (mirror, exported) => Effect.flatMap(mirror, (opened) => Effect.map(opened.update, () => exported(opened)))
  )

/**
 * The same, and then whatever changes, until it is interrupted or the store is closed (`Invalid`). Any number of
 * changes may go by between two looks at the store, which take up at most a fifth of the time. Interrupting it leaves
 * whole files; it fails as an export does, and with what `onExported` fails with.
 */
export const followTree = <E = never>(
  store: StoreShape,
  directory: string,
  options: FollowTreeOptions<E> = {}
): Effect.Effect<Fenced, StoreError | E> =>
  keeping(
    store,
    directory,
    options,
    ["replace", "onExported"],
    (opening, exported) =>
      Effect.scoped(Effect.gen(function*() {
        // Listening starts before the first look, so that nothing goes by unnoticed between the two.
        const pull = yield* Stream.toPull(store.changes)
        const more = Pull.catchDone(Effect.as(pull, true), () => Effect.succeed(false))
        const mirror = yield* opening
        for (let first = true; yield* more; first = false) {
          const started = yield* Clock.currentTimeMillis
          const changed = yield* mirror.update
          if (changed || first) yield* options.onExported?.(exported(mirror)) ?? Effect.void
          const took = (yield* Clock.currentTimeMillis) - started
          yield* Effect.sleep(took * restsFor)
        }
        return yield* wakeUpsEnded(store)
      }))
  )

const restsFor = 4

/** Opens a tree, does something with it, and tells what else became of it. */
const keeping = <A, E = never>(
  store: StoreShape,
  directory: string,
  options: ExportTreeOptions,
  known: ReadonlyArray<string>,
  use: (
    opening: Effect.Effect<Mirror, FilesError>,
    exported: (mirror: Mirror) => Exported
  ) => Effect.Effect<A, FilesError | E>
): Effect.Effect<A | Fenced, StoreError | E> =>
  Effect.suspend(() => {
    const fault = Fault.optionsFault(options, known) ?? Fault.flagFault("replace", options.replace) ??
      directoryFault(directory)
    if (fault !== undefined) return Effect.fail(fault)
    let position = Position(0)
    let [written, removed] = [0, 0]
    const exported = (mirror: Mirror): Exported => {
      const { files } = mirror
      position = mirror.position
      const since = { written: files.written - written, removed: files.removed - removed }
      written = files.written
      removed = files.removed
      return { _tag: "Exported", directory: files.root, position, ...since }
    }
    return use(openMirror(store, directory, options.replace ?? false), exported).pipe(
      Effect.catchTag("TakenOver", () => Effect.succeed<Fenced>({ _tag: "Fenced", name: directory, position }))
    )
  })

/** What can't be the path of a directory. */
export const directoryFault = (directory: unknown): Invalid | undefined =>
  typeof directory === "string" && directory !== "" && !directory.includes("\0") ? undefined : new Invalid({
    field: "directory",
    reason: "is no path",
    remedy: "pass the path of a directory"
  })

// Without one of them there are things in the store that nobody could find.
const needs = ["namespaces", "scan", "changed", "streams", "readAll"] as const

/** Opens a tree for writing, and writes it whole where it isn't one of this store that can be gone on with. */
const openMirror = Effect.fnUntraced(function*(store: StoreShape, directory: string, replace: boolean) {
  const lack = needs.find((ability) => store.about.lacks.has(ability))
  if (lack !== undefined) return yield* Effect.fail(Fault.lackFault(store.about.name, lack))
  const files = yield* onFiles(() => TreeFiles.open(directory))
  const content = yield* onFiles(() => files.marker())
  const head = yield* store.head
  const marker = content === undefined ? {} : yield* Effect.fromResult(readMarker(content))
  const position = replace ? undefined : commonPosition(marker, store.about, head)
  const unfinished = marker.incarnation === store.about.incarnation && marker.position === undefined
  const mayBegin = content === undefined || replace || unfinished
  if (position === undefined && !mayBegin) return yield* Effect.fail(foreign)
  yield* onFiles(() => files.takeOver())
  const mirror = new Mirror(store, files, Position(position ?? 0))
  if (position === undefined) yield* mirror.writeWhole
  return mirror
})

const foreign = new Invalid({
  field: "directory",
  reason: "holds the tree of another store, or of another history of this one",
  remedy: "name another directory, or write this tree anew with replace"
})
