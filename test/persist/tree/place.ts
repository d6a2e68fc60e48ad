/** Directories for trees, what is in them, and what is in a store, to be compared. */
import { Position, type StoredEvent, type StoreShape } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { cpSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Store } from "persist"

/** A directory that's gone with its scope. */
export interface Place extends Disposable {
  readonly path: string
  /** Every file but those that are being written, by its path, as Latin-1 so that bytes stay bytes. */
  readonly files: () => Readonly<Record<string, string>>
  readonly read: (file: string) => string
  readonly write: (file: string, content: string | Uint8Array) => void
  /** What `change` makes of a file's text takes its place. */
  readonly edit: (file: string, change: (text: string) => string) => void
  /** Another place with the same files. */
  readonly copy: () => Place
}

// Where there is a file system in memory, syncing what is never kept costs nothing.
const inMemory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir()

/** Makes an empty directory. */
export const makePlace = (): Place => {
  const path = mkdtempSync(join(inMemory, "persist-tree-"))
  const read = (file: string) => readFileSync(join(path, file), "utf8")
  const write = (file: string, content: string | Uint8Array) => writeFileSync(join(path, file), content)
  return {
    path,
    files: () => Object.fromEntries(filesBelow(path, "")),
    read,
    write,
    edit: (file, change) => {
      const before = read(file)
      const after = change(before)
      if (after === before) throw new Error(`${file} stays what it was`)
      write(file, after)
    },
    copy: () => {
      const place = makePlace()
      cpSync(path, place.path, { recursive: true })
      return place
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true })
  }
}

const filesBelow = (root: string, below: string): ReadonlyArray<readonly [string, string]> =>
  readdirSync(join(root, below)).sort().flatMap((name) => {
    const path = below === "" ? name : `${below}/${name}`
    if (path === ".persist" || path === ".git") return []
    return lstatSync(join(root, path)).isDirectory()
      ? filesBelow(root, path)
      : [[path, readFileSync(join(root, path), "latin1")] as const]
  })

/** What of a tree a copy of its store has too: all but whose tree it is, and the positions, which are the store's. */
export const withoutPlaces = (files: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(files).filter(([path]) => path !== "persist-tree.json").map(([path, text]) => [
      path,
      path.endsWith(".ndjson") ? text.replace(/^(\{"seq":\d+),"position":\d+/gm, "$1") : text
    ])
  )

/** What a store holds, as it is stored; revisions, and when keys were written, are left out. */
export interface Contents {
  readonly values: ReadonlyArray<unknown>
  readonly streams: ReadonlyArray<unknown>
  /** In the store's order. */
  readonly events: ReadonlyArray<Omit<StoredEvent, "position">>
}

/** The contents of a store. */
export const contentsOf = (store: Store | StoreShape): Promise<Contents> =>
  Effect.runPromise(readContents("effect" in store ? store.effect : store))

const readContents = Effect.fnUntraced(function*(store: StoreShape) {
  const { backend } = store.engine
  const values: Array<unknown> = []
  for (const { namespace } of yield* Stream.runCollect(store.namespaces())) {
    if (namespace.startsWith("$")) continue
    const range = { namespace, gte: undefined, lt: undefined, limit: 10_000, reverse: false }
    for (const { key, meta, value } of yield* backend.scan(range)) values.push([namespace, key, value, meta])
  }
  const range = { prefix: "", types: undefined, limit: 100_000, reverse: false }
  const { items } = yield* backend.readAll({ after: Position(0), to: Position(Number.MAX_SAFE_INTEGER), ...range })
  const streams = yield* Stream.runCollect(store.log().streams())
  return { values, streams, events: items.map(({ position: _, ...event }) => event) }
})
