/** Brings a tree up to what its store holds: all of it, or what has changed since. */
import { Position, type StoreShape } from "@persist/core"
import type { StoredEntry, StoredEvent, StreamInfo, Tombstone } from "@persist/core"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { eachAppended, eachChanged, eachScanned, eachStreams, eventsOfFile } from "./contents.ts"
import { modelNamespaces, treeNamespaces } from "./contents.ts"
import { entryFile, readEntryFile, type TreeFile } from "./entry-file.ts"
import { eventLines, readEventLines } from "./event-lines.ts"
import { namespaceOf } from "./file-name.ts"
import { entriesIn, type FilesError, filesIn, onFiles } from "./file-read.ts"
import { markerText } from "./marker.ts"
import type { TreeFiles } from "./tree-files.ts"
import * as Place from "./tree-path.ts"

// So much is held before it is written, in files and in characters.
const pendingFiles = 512
const pendingSize = 16 * 1024 * 1024

/** A tree that is kept like its store. After a pass, the marker says how far it has come; before, how far the last. */
export class Mirror {
  private readonly store: StoreShape
  readonly files: TreeFiles
  /** Everything at or below it is in the tree. */
  position: Position
  private pending: Array<TreeFile> = []
  private size = 0
  /** The namespaces that the tree has, or had. */
  private readonly namespaces = new Set<string>()
  /** The first seq of each stream that lost its first events, as the tree has it. */
  private readonly firsts = new Map<string, number>()
  private begun = false

  constructor(store: StoreShape, files: TreeFiles, position: Position) {
    this.store = store
    this.files = files
    this.position = position
  }

  /** Writes everything; where there is a tree already, what the store lacks is removed from it. */
  readonly writeWhole: Effect.Effect<void, FilesError> = Effect.gen({ self: this }, function*() {
    const { files, store } = this
    // While it isn't whole it says so, and whatever ends this, the next run begins anew.
    yield* onFiles(async () => {
      await files.write({ path: Place.markerPath, content: markerText({ incarnation: store.about.incarnation }) })
      await files.lay()
      await files.sync()
    })
    const head = yield* store.head
    const kept = new Set<string>()
    for (const namespace of yield* treeNamespaces(store, yield* modelNamespaces(store))) {
      this.namespaces.add(namespace)
      yield* eachScanned(store, namespace, (entries) => this.putEntries(entries, kept))
    }
    yield* eachStreams(
      store,
      false,
      (infos) => Effect.forEach(infos, (info) => this.putStream(info, kept), { discard: true })
    )
    yield* this.flush
    yield* onFiles(() => files.keepOnly(kept))
    this.begun = true
    // What was written meanwhile may be there or not.
    this.position = head
    yield* this.pass(yield* store.head)
  })

  /** Writes what has changed since the last pass; answers whether there was anything to do. */
  readonly update: Effect.Effect<boolean, FilesError> = Effect.gen({ self: this }, function*() {
    const head = yield* this.store.head
    if (this.begun && head === this.position) return false
    if (!this.begun) yield* onFiles(() => this.findNamespaces())
    yield* this.pass(head)
    return true
  })

  private readonly pass = Effect.fnUntraced(function*(this: Mirror, head: Position) {
    const models = yield* modelNamespaces(this.store)
    for (const namespace of this.namespaces) {
      if (models.has(namespace)) yield* this.leave(namespace)
    }
    for (const namespace of new Set([...this.namespaces, ...yield* treeNamespaces(this.store, models)])) {
      // Of one that the tree hasn't had, everything is new to it.
      const since = this.namespaces.has(namespace) ? this.position : Position(0)
      this.namespaces.add(namespace)
      yield* eachChanged(this.store, namespace, since, (items) => this.change(items))
    }
    yield* eachStreams(this.store, true, (infos) => {
      const shortened = infos.filter(({ first, stream }) => first > 1 && first !== this.firsts.get(stream))
      return Effect.forEach(shortened, (info) => this.shorten(info), { discard: true })
    })
    yield* this.flush
    yield* this.append(head)
    yield* this.flush
    const marker = markerText({ incarnation: this.store.about.incarnation, position: head })
    yield* onFiles(async () => {
      await this.files.sync()
      // Where whoever took it over was faster, nothing is left to write that would have told.
      await this.files.checkOwner()
      await this.files.write({ path: Place.markerPath, content: marker })
      await this.files.sync()
    })
    this.begun = true
    this.position = head
  })

  private async findNamespaces(): Promise<void> {
    const { root } = this.files
    for (const { name } of await entriesIn(root, Place.valuesDirectory)) {
      const namespace = namespaceOf(name) ?? await this.namespaceWithin(`${Place.valuesDirectory}/${name}`)
      if (namespace !== undefined) this.namespaces.add(namespace)
    }
  }

  /** The namespace of a directory that is too short for its name: its files tell. */
  private async namespaceWithin(directory: string): Promise<string | undefined> {
    for await (const path of filesIn(this.files.root, directory)) {
      const entry = readEntryFile(path, await this.files.read(path) ?? new Uint8Array())
      if (Result.isSuccess(entry)) return entry.success.namespace
    }
    return undefined
  }

  private readonly leave = Effect.fnUntraced(function*(this: Mirror, namespace: string) {
    this.namespaces.delete(namespace)
    yield* onFiles(() => this.files.removeAll(Place.namespacePath(namespace)))
  })

  private readonly putEntries = Effect.fnUntraced(
    function*(this: Mirror, entries: ReadonlyArray<StoredEntry>, kept: Set<string>) {
      for (const entry of entries) {
        const file = yield* Effect.fromResult(entryFile(entry))
        kept.add(file.path)
        this.put(file)
      }
      if (this.isFull) yield* this.flush
    }
  )

  private readonly change = Effect.fnUntraced(function*(this: Mirror, items: ReadonlyArray<StoredEntry | Tombstone>) {
    const gone: Array<string> = []
    for (const item of items) {
      const { path, whole } = Place.keyPath(item)
      if (item._tag === "Entry") this.put(yield* Effect.fromResult(entryFile(item)))
      gone.push(...Place.otherForms(item._tag === "Entry" ? Place.formOf(item, whole) : undefined, path))
    }
    yield* this.flush
    yield* this.removing(gone)
  })

  private readonly putStream = Effect.fnUntraced(
    function*(this: Mirror, { first, last, stream }: StreamInfo, kept: Set<string>) {
      if (first > 1) this.firsts.set(stream, first)
      for (let start = Place.fileStart(first); start <= Math.max(first, last); start += Place.seqsPerFile) {
        const file = yield* this.eventsFile(stream, start)
        if (file === undefined) continue
        kept.add(file.path)
        this.put(file)
        if (this.isFull) yield* this.flush
      }
    }
  )

  /** The file of a stream that begins with this seq; `undefined` where nothing belongs into it. */
  private readonly eventsFile = Effect.fnUntraced(function*(this: Mirror, stream: string, start: number) {
    const events = yield* eventsOfFile(this.store, stream, start)
    const first = this.firsts.get(stream) ?? 1
    const removed = first > 1 && Place.fileStart(first) === start ? first - 1 : 0
    if (events.length === 0 && removed === 0) return undefined
    const { path, whole } = Place.eventsPath(stream, start)
    const heading = { stream: whole ? undefined : stream, removed }
    return { path, content: yield* Effect.fromResult(eventLines(heading, events)) }
  })

  /** Takes what a stream has lost at its beginning out of the tree. */
  private readonly shorten = Effect.fnUntraced(function*(this: Mirror, { first, stream }: StreamInfo) {
    const before = this.firsts.get(stream)
    this.firsts.set(stream, first)
    const start = Place.fileStart(first)
    if (before === undefined && (yield* onFiles(() => this.removedIn(stream, start))) === first - 1) return
    const gone: Array<string> = []
    for (let seq = Place.fileStart(before ?? 1); seq < start; seq += Place.seqsPerFile) {
      gone.push(Place.eventsPath(stream, seq).path)
    }
    // The file that says what was removed comes last, so that it says so only where that's done.
    yield* this.removing(gone)
    const file = yield* this.eventsFile(stream, start)
    if (file !== undefined) this.put(file)
    if (this.isFull) yield* this.flush
  })

  private async removedIn(stream: string, start: number): Promise<number | undefined> {
    const { path } = Place.eventsPath(stream, start)
    const read = readEventLines(path, await this.files.read(path) ?? new Uint8Array())
    return Result.isSuccess(read) ? read.success.removed : undefined
  }

  /** Writes the files that events up to the head belong into, each of them once. */
  private readonly append = Effect.fnUntraced(function*(this: Mirror, head: Position) {
    const touched = new Map<string, { readonly stream: string; readonly start: number }>()
    yield* eachAppended(this.store, this.position, head, (events: ReadonlyArray<StoredEvent>) =>
      Effect.sync(() => {
        for (const { seq, stream } of events) {
          const start = Place.fileStart(seq)
          touched.set(`${start} ${stream}`, { stream, start })
        }
      }))
    for (const { start, stream } of touched.values()) {
      const file = yield* this.eventsFile(stream, start)
      if (file !== undefined) this.put(file)
      if (this.isFull) yield* this.flush
    }
  })

  private put(file: TreeFile): void {
    this.pending.push(file)
    this.size += file.content.length
  }

  private get isFull(): boolean {
    return this.pending.length >= pendingFiles || this.size >= pendingSize
  }

  private readonly flush: Effect.Effect<void, FilesError> = Effect.suspend(() => {
    const { pending } = this
    this.pending = []
    this.size = 0
    return pending.length === 0 ? Effect.void : onFiles(() => this.files.writeAll(pending))
  })

  private readonly removing = (paths: ReadonlyArray<string>): Effect.Effect<void, FilesError> =>
    paths.length === 0 ? Effect.void : onFiles(async () => {
      for (const path of paths) await this.files.remove(path)
    })
}
